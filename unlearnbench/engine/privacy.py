"""The privacy loss of differentially private training."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module

from unlearnbench.core.errors import UserError
from unlearnbench.core.options import DPSGD


@dataclass(frozen=True)
class PrivateRun:
    """One run of DP-SGD: steps on Poisson batches, Gaussian noise on each batch's sum of clipped gradients."""

    noise_multiplier: float
    """The standard deviation of the noise, in units of the clip."""
    sample_rate: float
    """The probability that a record is in a batch, independent of the other records."""
    steps: int
    """The number of steps."""

    @classmethod
    def over(cls, records: int, batch_size: int, epochs: int, dp: DPSGD) -> PrivateRun:
        """Return the run that takes ``epochs`` times as many steps as batches of this size hold the records."""
        size = min(batch_size, records)
        return cls(dp.noise_multiplier, size / records, epochs * -(-records // size))


@dataclass(frozen=True)
class Budget:
    """The privacy loss of one model."""

    runs: tuple[PrivateRun, ...]
    """The runs that trained it, each going on from the one before."""
    delta: float
    """The delta for which epsilon is computed."""

    @cached_property
    def epsilon(self) -> float:
        """Total epsilon of all runs, computed when it is read first."""
        return composed_epsilon(self.runs, self.delta)


def epsilon(noise_multiplier: float, sample_rate: float, steps: int, delta: float) -> float:
    """Return the epsilon of one run of DP-SGD; neighbouring data sets differ by the presence of one record."""
    return composed_epsilon([PrivateRun(noise_multiplier, sample_rate, steps)], delta)


def composed_epsilon(runs: Sequence[PrivateRun], delta: float) -> float:
    """Return the epsilon at ``delta`` of a chain of runs, by Opacus's accountant; infinite where one has no noise.

    Renyi differential privacy of the Poisson-subsampled Gaussian (Mironov, Talwar, Zhang 2019), an upper bound.
    UserError where Opacus is missing.
    """
    if any(run.noise_multiplier == 0 for run in runs):
        return math.inf
    try:
        accountant = import_module("opacus.accountants").RDPAccountant()
    except ImportError:
        raise UserError('epsilon needs Opacus\'s accountant: pip install "unlearnbench[dp]"') from None
    accountant.history = [(run.noise_multiplier, run.sample_rate, run.steps) for run in runs]
    with warnings.catch_warnings():
        # The bound is valid all the same, and loose only where epsilon is too large or too small to be of use.
        warnings.filterwarnings("ignore", message="Optimal order is the (smallest|largest) alpha")
        return float(accountant.get_epsilon(delta))
