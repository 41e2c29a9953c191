"""What an experiment is expected to show, as statements that seeds can contradict.

Seeds are independent runs. So each claim is reduced to one number for each seed, and a t test of their mean against
zero.
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

ClaimVerdict = Literal["holds", "does not hold", "cannot tell"]
LEVEL = 0.05
"""A claim holds, or its opposite does, at this one-sided level."""


@dataclass(frozen=True)
class RowName:
    """Names one row of a suite's results for each seed, and the metric to read."""

    labels: Mapping[str, str]
    """The label on each axis that distinguishes the row from others."""
    metric: str = "auc"


def row(metric: str = "auc", **labels: str) -> RowName:
    """Name a row by its labels. By default the unlearner is retrain, the scenario single and the defense none."""
    return RowName({"unlearner": "retrain", "scenario": "single", "defense": "none"} | labels, metric)


@dataclass(frozen=True)
class ClaimResult:
    """What the seeds say of a claim."""

    text: str
    verdict: ClaimVerdict
    amount: Estimate
    """The mean over seeds of the number that the claim is reduced to."""
    p: float | None
    """The one-sided p value: the probability of a mean this large if the true mean were zero. None where a number is
    missing."""

    @property
    def without_spread(self) -> bool:
        """Whether all seeds have the same number, so that a t test has nothing to measure the mean by."""
        return self.amount.status == "degenerate"


class MissingNumberError(Exception):
    """A claim is about a number that the results do not have; the message says why."""


@dataclass(frozen=True)
class SeedRows:
    """Rows of single seeds, to be looked up by label."""

    rows: Sequence[Row]

    def values(self, name: RowName) -> NDArray[np.float64]:
        """Return the metric of each seed (seeds,), in the order of the seeds.

        Raises :class:`MissingNumberError` where a seed has none, ValueError where the labels do not name exactly one
        row for each seed.
        """
        found = [row for row in self.rows if row.seed is not None and name.labels.items() <= row.names.items()]
        if not found or len({row.seed for row in found}) < len(found):
            raise ValueError(f"{dict(name.labels)} names {len(found)} rows, not one a seed")
        return np.array([_value(row, name.metric) for row in found])


def _value(row: Row, metric: str) -> float:
    estimate = row.metrics.get(metric)
    if row.status != "ok" or estimate is None or estimate.value is None:
        reason = row.reason or (estimate.reason if estimate else f"no {metric}")
        raise MissingNumberError(f"{row.names['attack']}, seed {row.seed}: {reason}")
    return estimate.value


@dataclass(frozen=True)
class Claim(ABC):
    """A statement about the results of one suite, in words and as one number for each seed."""

    text: str

    @abstractmethod
    def per_seed(self, rows: SeedRows) -> NDArray[np.float64]:
        """Return the number for each seed (seeds,); positive if the claim holds for the seed.

        It is a difference of two AUCs, in [-1, 1].
        """

    def judge(self, rows: SeedRows) -> ClaimResult:
        """Test the claim and its opposite. Where a number is missing, the verdict is "cannot tell"."""
        try:
            per_seed = self.per_seed(rows)
        except MissingNumberError as error:
            return ClaimResult(self.text, "cannot tell", Estimate.undefined(str(error)), None)
        p = self.p_value(per_seed)
        verdict: ClaimVerdict = "holds" if p < LEVEL else "does not hold" if p > 1 - LEVEL else "cannot tell"
        return ClaimResult(self.text, verdict, t_interval(per_seed, "gain"), p)

    def p_value(self, per_seed: NDArray[np.float64]) -> float:
        """Return the one-sided p value of the claim; that of its opposite is one less it."""
        return mean_above_zero(per_seed)


@dataclass(frozen=True)
class Above(Claim):
    """A metric is above a bound."""

    row: RowName
    bound: float

    def per_seed(self, rows: SeedRows) -> NDArray[np.float64]:
        """Return the metric minus the bound."""
        return rows.values(self.row) - self.bound


@dataclass(frozen=True)
class Greater(Claim):
    """A metric of one row is greater than that of another by more than ``by``, seed by seed."""

    row: RowName
    than: RowName
    by: float = 0.0

    def per_seed(self, rows: SeedRows) -> NDArray[np.float64]:
        """Return the difference minus ``by``."""
        return rows.values(self.row) - rows.values(self.than) - self.by


@dataclass(frozen=True)
class Rises(Claim):
    """A metric rises along a series of rows: its least-squares line over their positions has a positive slope."""

    series: Sequence[RowName]

    def per_seed(self, rows: SeedRows) -> NDArray[np.float64]:
        """Return the slope: by how much the metric rises from one row to the next."""
        values = np.stack([rows.values(name) for name in self.series])
        positions = np.arange(len(self.series)) - (len(self.series) - 1) / 2
        return np.asarray(positions @ values / (positions @ positions))


@dataclass(frozen=True)
class Falls(Rises):
    """A metric falls along a series of rows."""

    def per_seed(self, rows: SeedRows) -> NDArray[np.float64]:
        """Return by how much the metric falls from one row to the next."""
        return -super().per_seed(rows)


@dataclass(frozen=True)
class Near(Claim):
    """A metric is within ``within`` of a number or of the metric of another row: two tests, one for each side."""

    row: RowName
    other: RowName | float
    within: float

    def per_seed(self, rows: SeedRows) -> NDArray[np.float64]:
        """Return the metric minus the other number."""
        other = rows.values(self.other) if isinstance(self.other, RowName) else self.other
        return rows.values(self.row) - other

    def p_value(self, per_seed: NDArray[np.float64]) -> float:
        """Return the larger of the p values of "not too low" and "not too high"."""
        return max(mean_above_zero(self.within + sign * per_seed) for sign in (1, -1))
