"""Canaries are deleted: records that the data set put there to be memorised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.scenarios.marked import MarkedRecords
from unlearnbench.core.records import Records


@dataclass(frozen=True)
class Canary(MarkedRecords):
    """Each request deletes ``size`` canaries, as the data set says (``Records.canary``).

    Negatives are unseen canaries. Needs a data set with canaries, such as ``canaries``; others are refused.

    ``size``: canaries per request; null for all of them, in one request
    """

    wanted: ClassVar[str] = "a data set that says which records are canaries, such as canaries(of=digits)"

    def mark(self, records: Records) -> NDArray[np.bool_] | None:
        """Return which records are canaries."""
        return records.canary
