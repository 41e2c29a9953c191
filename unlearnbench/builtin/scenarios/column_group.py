"""Records that have one value in a column are deleted together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.scenarios.by_value import ByValue
from unlearnbench.core.errors import UserError, did_you_mean
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

    def values(self, candidates: Candidates) -> NDArray[np.float64]:
        """Return the values of the column; UserError where there is none of this name or number."""
        return candidates.x[:, _number(self.column, candidates.records)]


def _number(column: str | int, records: Records) -> int:
    if records.x.ndim != 2:
        raise UserError(f"column: {records.name} has records of shape {records.x.shape[1:]}, which have no columns")
    if isinstance(column, str):
        if column not in records.feature_names:
            raise UserError(
                f"column: {records.name} has no {shown(column)}{did_you_mean(column, records.feature_names)}"
            )
        return records.feature_names.index(column)
    if not 0 <= column < records.x.shape[1]:
        raise UserError(f"column: {records.name} has columns 0 to {records.x.shape[1] - 1}, got {column}")
    return column
