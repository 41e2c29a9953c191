"""When a re-run agrees with a submission: to the bit in the same environment, and by stated rules in any other.

Environments differ in the last digits of their arithmetic. Most models pass such a difference on without making it
larger; networks that are trained for long make it large, and are then another outcome of the same training.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.estimates import Estimate, is_measured
from unlearnbench.run.cell_results import CellScores
from unlearnbench.stats import midranks
from unlearnbench.submissions.derived import Ids
from unlearnbench.submissions.group_arrays import GroupArrays

VALUES: Final = 0.15
"""How far two numbers may be apart where the re-run has no interval; for others than shares and gains relative to the
larger. Precision at a low prior differs most: by up to .11 between two engines that train a network."""
EDGE: Final = 0.02
"""How far a number without an interval may be outside of the other's interval."""
ACCURACY: Final = 0.02
"""How far accuracies may be apart on average: they differed by less than .001 between engines and processors."""
RANKS: Final = 0.3
"""The least rank correlation of scores, which was above .8 between engines and 1 between processors."""
EPSILON: Final = 0.01
"""How far privacy losses may be apart, relative to the larger: they follow from a formula, not from training."""
MATCHED: Final = 0.5
"""The least share of matched negatives that are the same: which records share a region follows from training."""
FACTOR: Final = 100.0
"""How many times as long the fastest original may take; a loaded machine makes milliseconds 25 times as long."""
FACTOR_ELSEWHERE: Final = 1000.0
"""The same for another engine or device."""
SHORTEST: Final = 1e-5
"""Seconds; shorter times count as this one, since a call takes about as long."""

Array = NDArray[np.float64]
Estimates = Mapping[str, Estimate]


@dataclass(frozen=True)
class Comparison:
    """In how far a re-run is comparable with the submission."""

    same_setting: bool
    """Engine and device are those of the submission."""
    same_environment: bool
    deletes: bool
    """The unlearner deletes something. Else the answers of both models differ by rounding only, and so do scores."""

    @property
    def exact(self) -> bool:
        """Whether all but times must be equal to the bit."""
        return self.same_setting and self.same_environment

    def __str__(self) -> str:
        if self.exact:
            return "compared to the bit"
        differing = "this is another environment" if self.same_setting else "another engine or device is used here"
        return f"compared by intervals and values, {differing}"

    def models(self, submitted: GroupArrays, computed: GroupArrays, originals: int) -> list[str]:
        """Name the arrays of a group's models that do not agree.

        With one original, times are not compared: they include what is done once.
        """
        if self.exact:
            differing = _unequal(submitted, computed, ("matched", "accuracies", "epsilon", *_measured(submitted)))
        else:
            differing = list(_other_models(submitted, computed))
        factor = FACTOR if self.same_setting else FACTOR_ELSEWHERE
        similar = originals == 1 or _similar_times(submitted.seconds, computed.seconds, factor)
        return differing if similar else [*differing, "seconds"]

    def cell(self, submitted: CellScores, computed: CellScores, claimed: Estimates, measured: Estimates) -> list[str]:
        """Name the arrays or the metrics of a cell that do not agree."""
        if self.exact:
            return _unequal(submitted, computed, tuple(vars(submitted)))
        names = ("scores", "baseline") if self.deletes else ()
        pairs = {name: (getattr(submitted, name), getattr(computed, name)) for name in names}
        return _far(claimed, measured) + [
            f"ranks of {name}" for name, pair in pairs.items() if not _similar_ranks(*pair)
        ]


def _measured(submitted: GroupArrays) -> list[str]:
    """Name the arrays that older submissions lack and this one has."""
    return [name for name in ("forgotten", "passes", "outcomes", "relearned") if getattr(submitted, name) is not None]


def _unequal(submitted: object, computed: object, names: Sequence[str]) -> list[str]:
    """Name the arrays that are not bitwise equal; ``None`` stands for one that is not there."""
    pairs = {name: (getattr(submitted, name), getattr(computed, name)) for name in names}
    return [name for name, (one, other) in pairs.items() if not (one is other or np.array_equal(one, other))]


def _far(submitted: Estimates, computed: Estimates) -> list[str]:
    """Name the metrics of a cell that do not agree, but for what is measured of the machine."""
    names = sorted(name for name in submitted.keys() | computed.keys() if not is_measured(name))
    return [name for name in names if not _agree(submitted.get(name), computed.get(name))]


def _agree(one: Estimate | None, other: Estimate | None) -> bool:
    """Say whether a claimed number agrees with that of a re-run: in its interval, and in its value.

    The interval alone would let a claim be as far off as it is wide, and a forger can make it wide.
    """
    if one is None or other is None:
        return one is other
    if one.value is None or other.value is None:
        return one.value is other.value
    unit = 1.0 if other.scale in ("share", "gain") else max(abs(one.value), abs(other.value))
    claimed, here = _interval(one), _interval(other)
    most = here[1] - here[0] if here else VALUES * unit
    edge = 0.0 if claimed and here else EDGE * unit if claimed or here else most
    low, high = claimed or (one.value, one.value)
    low_here, high_here = here or (other.value, other.value)
    return max(low - high_here, low_here - high) <= edge and abs(one.value - other.value) <= most


def _interval(estimate: Estimate) -> tuple[float, float] | None:
    return None if estimate.low is None or estimate.high is None else (estimate.low, estimate.high)


def _similar_ranks(one: Array, other: Array) -> bool:
    """Say whether scores (n,) rank the rows alike; other rows, by other matched negatives, are told apart before.

    Constant scores are like constant scores only.
    """
    if len(one) != len(other):
        return True
    if not np.ptp(one) or not np.ptp(other):
        return bool(np.ptp(one) == np.ptp(other))
    return bool(np.corrcoef(midranks(one), midranks(other))[0, 1] >= RANKS)


def _other_models(submitted: GroupArrays, computed: GroupArrays) -> Iterator[str]:
    if not _similar_matches(submitted.matched, computed.matched):
        yield "matched"
    if (np.abs(submitted.accuracies - computed.accuracies).mean(axis=1) > ACCURACY).any():
        yield "accuracies"
    if not _same_privacy(submitted.epsilon, computed.epsilon):
        yield "epsilon"


def _similar_matches(one: Ids, other: Ids) -> bool:
    """Say whether requests have as many matched negatives (requests, k) in both, and most of them are the same."""
    given = one >= 0
    return np.array_equal(given, other >= 0) and (not given.any() or bool((one == other)[given].mean() >= MATCHED))


def _same_privacy(one: Array | None, other: Array | None) -> bool:
    if one is None or other is None:
        return one is other
    return bool(np.allclose(one, other, rtol=EPSILON))


def _similar_times(submitted: Array, computed: Array, factor: float) -> bool:
    """Say whether the fastest original took about as long, in each row (2, requests)."""
    fastest = [np.maximum(seconds.min(axis=1), SHORTEST) for seconds in (submitted, computed)]
    ratio = fastest[0] / fastest[1]
    return bool(((ratio <= factor) & (ratio >= 1 / factor)).all())
