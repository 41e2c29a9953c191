"""A data set of which a share of records has another class than theirs, for scenarios that delete these."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt

from unlearnbench.builtin.datasets.derived import Derived
from unlearnbench.builtin.datasets.other_classes import other_classes
from unlearnbench.core.records import Records
from unlearnbench.core.seeding import SeedPath, keyed_bits, keyed_uniforms

_CHOSEN, _LABEL = 0, 1
"""What a draw is for: part of its key."""


@dataclass(frozen=True)
class Mislabelled(Derived):
    """A built-in data set in which ``share`` of the records, rounded, have another class, each other one as likely.

    Who they are and their classes are draws keyed by the name of the data set, ``draw`` and the number of the record:
    anyone can draw them again, and they do not depend on who trains on them or on the seed of a run. Models are
    trained, asked and measured with the classes as they are here, so even a perfect model has an accuracy of about
    1 - ``share``. The scenario ``mislabelled`` deletes these records.

    ``of``: the data set

    ``share``: of the records

    ``draw``: another number draws others
    """

    share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    draw: NonNegativeInt = 0

    def load(self) -> Records:
        """Return the records."""
        records = self.source.load()
        wrong = self.chosen(len(records))
        note = f"{self.of} with {self.share:g} of its records mislabelled; {records.provenance.note}".rstrip("; ")
        return replace(
            records,
            name="mislabelled",
            y=np.where(wrong, self.others(records.y, records.n_classes), records.y),
            provenance=replace(records.provenance, note=note),
            mislabelled=wrong,
        )

    def chosen(self, n: int) -> NDArray[np.bool_]:
        """Return which of n records (n,) have another class."""
        order = np.argsort(keyed_bits(self._seed, _CHOSEN, np.arange(n)), kind="stable")
        wrong = np.zeros(n, dtype=np.bool_)
        wrong[order[: round(self.share * n)]] = True
        return wrong

    def others(self, y: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
        """Return for each label (n,) another one."""
        drawn = keyed_uniforms(self._seed, _LABEL, np.arange(len(y)))
        return other_classes(y, n_classes, drawn)

    @property
    def _seed(self) -> int:
        return (SeedPath(self.draw) / "mislabelled" / self.of).seed()
