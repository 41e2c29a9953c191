"""Mislabelled records are deleted: those to which the data set gave another class than theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.scenarios.marked import MarkedRecords
from unlearnbench.core.records import Records


@dataclass(frozen=True)
class MislabelledRecords(MarkedRecords):
    """Each request deletes ``size`` records whose label is wrong, as the data set says (``Records.mislabelled``).

    Negatives are unseen records whose label is wrong too. Needs a data set that says so, such as ``mislabelled``, which
    draws them; others are refused.

    ``size``: records per request; null for all of them, in one request
    """

    wanted: ClassVar[str] = "a data set that says which labels are wrong, such as mislabelled(of=digits)"

    def mark(self, records: Records) -> NDArray[np.bool_] | None:
        """Return which labels are wrong."""
        return records.mislabelled
