"""Mislabelled records are deleted: those to which the data set gave another class than theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import PositiveInt

from unlearnbench.core.errors import UserError
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.strata import Candidates, Ids, StratumScenario


@dataclass(frozen=True)
class MislabelledRecords(StratumScenario):
    """Each request deletes ``size`` records whose label is wrong, as the data set says (``Records.mislabelled``).

    Negatives are unseen records whose label is wrong too. Needs a data set that says so, such as ``mislabelled``, which
    draws them; UserError for another.

    ``size``: records per request; null for all of them, in one request
    """

    size: PositiveInt | None = 1

    def strata(self, candidates: Candidates, seeds: SeedPath) -> Sequence[Ids]:
        """Return the mislabelled candidates."""
        wrong = candidates.records.mislabelled
        if wrong is None:
            raise UserError(
                f"needs a data set that says which labels are wrong, such as mislabelled(of=digits); "
                f"{candidates.records.name} does not"
            )
        return [candidates.ids[wrong[candidates.ids]]]
