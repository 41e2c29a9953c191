"""What an experiment is expected to show, as statements that seeds can contradict.

Seeds are independent runs, so each claim comes down to one number a seed and a t test of their mean against zero.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.estimates import Estimate
from unlearnbench.run.results import Row
from unlearnbench.stats import mean_above_zero, t_interval

Verdict = Literal["holds", "does not hold", "cannot tell"]
LEVEL = 0.05
"""A claim holds, or its opposite does, at this one-sided level."""


@dataclass(frozen=True)
class Of:
    """One row of a suite's results: the labels that tell it from others, and the metric to read."""

    labels: Mapping[str, str]
    metric: str = "auc"


def of(metric: str = "auc", **labels: str) -> Of:
    """Name a row by its labels; where none is given, retraining, single deletions and no defense are meant."""
    return Of({"unlearner": "retrain", "scenario": "single", "defense": "none"} | labels, metric)


@dataclass(frozen=True)
class Finding:
    """What the seeds say of a claim. ``amount`` is the mean over seeds of what it comes down to.

    ``p`` is the one-sided probability of a mean this far on the claimed side, were there nothing; None where a number
    is missing.
    """

    text: str
    verdict: Verdict
    amount: Estimate
    p: float | None


class MissingNumberError(Exception):
    """A claim is about a number that the results do not have; the message says why."""


@dataclass(frozen=True)
class Results:
    """Rows of single seeds, to be looked up by label."""

    rows: Sequence[Row]

    def seeds(self, asked: Of) -> NDArray[np.float64]:
        """Return the metric of each seed, in the order of the seeds.

        Raises :class:`MissingNumberError` where a seed has none, ValueError where labels do not name one row a seed.
        """
        found = [row for row in self.rows if row.seed is not None and self._fits(row, asked)]
        if not found or len({row.seed for row in found}) < len(found):
            raise ValueError(f"{dict(asked.labels)} names {len(found)} rows, not one a seed")
        return np.array([_value(row, asked.metric) for row in found])

    @staticmethod
    def _fits(row: Row, asked: Of) -> bool:
        return all(row.names[axis] == label for axis, label in asked.labels.items())


def _value(row: Row, metric: str) -> float:
    estimate = row.metrics.get(metric)
    if row.status != "ok" or estimate is None or estimate.value is None:
        reason = row.reason or (estimate.reason if estimate else f"no {metric}")
        raise MissingNumberError(f"{row.names['attack']}, seed {row.seed}: {reason}")
    return estimate.value


@dataclass(frozen=True)
class Claim(ABC):
    """A statement about the results of one suite, in words and as a number a seed that is positive if it holds."""

    text: str

    @abstractmethod
    def per_seed(self, results: Results) -> NDArray[np.float64]:
        """Return that number for each seed."""

    def judge(self, results: Results) -> Finding:
        """Test the claim, and its opposite; nothing can be told where a number is missing."""
        try:
            return self.tested(self.per_seed(results))
        except MissingNumberError as error:
            return Finding(self.text, "cannot tell", Estimate.undefined(str(error)), None)

    def tested(self, per_seed: NDArray[np.float64]) -> Finding:
        """Return what one number a seed says."""
        return _finding(self.text, per_seed)


@dataclass(frozen=True)
class Above(Claim):
    """A metric lies above a number."""

    row: Of
    bound: float

    def per_seed(self, results: Results) -> NDArray[np.float64]:
        """Return how far above."""
        return results.seeds(self.row) - self.bound


@dataclass(frozen=True)
class Greater(Claim):
    """A metric of one row is greater than that of another, by more than ``by``, seed by seed."""

    row: Of
    than: Of
    by: float = 0.0

    def per_seed(self, results: Results) -> NDArray[np.float64]:
        """Return the difference."""
        return results.seeds(self.row) - results.seeds(self.than) - self.by


@dataclass(frozen=True)
class Falls(Claim):
    """A metric falls along a series of rows: the slope of its least-squares line over their places is negative."""

    series: Sequence[Of]

    def per_seed(self, results: Results) -> NDArray[np.float64]:
        """Return how much it falls a place."""
        return -_slopes(self.series, results)


@dataclass(frozen=True)
class Rises(Claim):
    """A metric rises along a series of rows."""

    series: Sequence[Of]

    def per_seed(self, results: Results) -> NDArray[np.float64]:
        """Return how much it rises a place."""
        return _slopes(self.series, results)


@dataclass(frozen=True)
class Near(Claim):
    """A metric lies within ``within`` of a number, or of that of another row: two tests, one for either side."""

    row: Of
    of: Of | float
    within: float

    def per_seed(self, results: Results) -> NDArray[np.float64]:
        """Return the distance from it, with its sign."""
        return results.seeds(self.row) - (results.seeds(self.of) if isinstance(self.of, Of) else self.of)

    def tested(self, per_seed: NDArray[np.float64]) -> Finding:
        """Test that it is nearer than ``within`` on both sides; contradicted where it is farther on one."""
        p = max(mean_above_zero(self.within + sign * per_seed) for sign in (1, -1))
        return Finding(self.text, _verdict(p), t_interval(per_seed), p)


def _slopes(series: Sequence[Of], results: Results) -> NDArray[np.float64]:
    values = np.stack([results.seeds(row) for row in series])
    places = np.arange(len(series)) - (len(series) - 1) / 2
    return np.asarray(places @ values / (places @ places))


def _finding(text: str, per_seed: NDArray[np.float64]) -> Finding:
    p = mean_above_zero(per_seed)
    return Finding(text, _verdict(p), t_interval(per_seed), p)


def _verdict(p: float) -> Verdict:
    return "holds" if p < LEVEL else "does not hold" if p > 1 - LEVEL else "cannot tell"
