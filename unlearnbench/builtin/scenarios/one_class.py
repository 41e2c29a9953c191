"""Records of one class are deleted together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.scenarios.by_value import ByValue
from unlearnbench.core.strata import Candidates


@dataclass(frozen=True)
class Class(ByValue):
    """Each request deletes ``size`` records of one class; the classes take turns, in random order.

    Negatives are unseen records of that class.

    ``size``: records per request; null for the whole class, at most once per class
    """

    def values(self, candidates: Candidates) -> NDArray[np.int64]:
        """Return the labels."""
        return candidates.y
