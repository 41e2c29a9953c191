"""Records that have one value in a column are deleted together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.scenarios.by_value import ByValue
from unlearnbench.core.errors import did_you_mean
from unlearnbench.core.messages import shown
from unlearnbench.core.records import Records
from unlearnbench.core.strata import Candidates


@dataclass(frozen=True)
class ColumnGroup(ByValue):
    """Each request deletes ``size`` records that have one value in ``column``, such as a person or an occupation.

    The values take turns, in random order, without those of too few records. Negatives are unseen records of that
    value, so a value whose records are all trained on, or all unseen, is never taken.

    ``column``: a feature's name, or its number from 0 on

    ``size``: records per request; null for all records of the value, at most once per value
    """

    column: str | int = 0

    def refusal_of_records(self, records: Records) -> str | None:
        """Return that there is no column of this name or number, or None where there is."""
        if records.x.ndim != 2:
            return f"column: {records.name} has records of shape {records.x.shape[1:]}, which have no columns"
        column, names = self.column, records.feature_names
        if isinstance(column, str):
            missing = f"column: {records.name} has no {shown(column)}{did_you_mean(column, names)}"
            return None if column in names else missing
        last = records.x.shape[1] - 1
        return None if 0 <= column <= last else f"column: {records.name} has columns 0 to {last}, got {column}"

    def values(self, candidates: Candidates) -> NDArray[np.float64]:
        """Return the values of the column."""
        names = candidates.records.feature_names
        number = names.index(self.column) if isinstance(self.column, str) else self.column
        return candidates.x[:, number]
