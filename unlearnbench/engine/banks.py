"""Many fitted models stored together, so that all of them answer in one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Bank(Protocol):
    """Fitted models that share data. The answers of one must not depend on which others are queried, bitwise."""

    def log_posteriors(self, x: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the log-posteriors (len(which), n, C) of these members on ``x`` (n, ...)."""
        ...


@dataclass(frozen=True, eq=False)
class Member:
    """One model of a bank: a ``Fitted``."""

    bank: Bank
    index: int

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return this model's log-posteriors (n, C)."""
        return np.asarray(self.bank.log_posteriors(x, np.array([self.index]))[0])
