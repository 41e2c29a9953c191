"""The variance of an adversary: how much its numbers depend on the shadow models that it learned from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats.scales import backward, forward, slope
from unlearnbench.stats.variance import NEGLIGIBLE, Variance, t_estimate, t_quantile


def with_adversary(estimate: Estimate, without: Sequence[Sequence[Estimate | None]]) -> Estimate:
    """Return an estimate whose interval includes the variance of the adversary.

    ``without`` holds the same number for the adversary without each of k groups of shadow originals: on two halves of
    the originals, or once, on all. Variances are added, with the degrees of freedom of Satterthwaite (1946). Where an
    interval is no t interval, the distance to either end shows a variance (Zou and Donner 2008), with the degrees of
    freedom that the details tell. An estimate without an interval, or without groups, stays as it is; no interval where
    the number is not defined without some group. Adds ``adversary_se`` to the details.
    """
    if estimate.status != "ok" or estimate.value is None or not without:
        return estimate
    values = np.array([[_value(one) for one in measured] for measured in without])
    if np.isnan(values).any():
        return estimate.without_interval("not defined for an adversary with fewer shadow originals")
    own = adversary_variance(values)
    if own.se <= NEGLIGIBLE:
        return estimate
    details = {**estimate.details, "adversary_se": own.se}
    if "se" in details:
        total = Variance(details["se"] ** 2, details["degrees"]) + own
        return t_estimate(estimate.value, total, estimate.n, estimate.scale, details)
    return replace(_widened(estimate, own), details=details)


def adversary_variance(values: NDArray[np.float64]) -> Variance:
    """Return the variance of a number due to the adversary, from its values without each of k groups.

    values (k, 2) are of two halves of the originals. Fitted without another group, an attack gives other scores to the
    same rows. What differs by chance from row to row is part of the variance between originals already; what all rows
    share is the covariance of the halves. Fits that have all groups but one in common differ as much as independent
    adversaries as far as chance in fitting is the cause, and k / (k - 1)^2 of it as far as the data are (the
    delete-a-group jackknife; Kott 2001): the factor is the geometric mean of both. From values (k, 1) of all originals
    the variance is taken, which counts what differs from row to row twice.
    """
    k, halves = values.shape
    shared = float(np.cov(values, rowvar=False)[0, 1] if halves == 2 else values.var(ddof=1))
    return Variance(max(0.0, shared) * (k - 1) / math.sqrt(k), k - 1)


def _value(measured: Estimate | None) -> float:
    return math.nan if measured is None or measured.value is None else measured.value


def _widened(estimate: Estimate, own: Variance) -> Estimate:
    """Move both ends away from the value, as an independent error of this variance does."""
    value, low, high, scale = estimate.value, estimate.low, estimate.high, estimate.scale
    assert value is not None  # noqa: S101 for the type checker
    assert low is not None  # noqa: S101 for the type checker
    assert high is not None  # noqa: S101 for the type checker
    degrees = estimate.details.get("degrees", math.inf)
    steep = slope(value, scale)
    if math.isinf(steep):  # at an end of its range, where the scale has no room
        lowest, highest = (backward(sign * math.inf, scale) for sign in (-1, 1))
        below, above = (_half_width(distance, degrees, own) for distance in (value - low, high - value))
        return replace(estimate, low=max(lowest, value - below), high=min(highest, value + above))
    middle, scaled = forward(value, scale), Variance(own.value * steep**2, own.degrees)
    distances = middle - forward(low, scale), forward(high, scale) - middle
    below, above = (_half_width(distance, degrees, scaled) for distance in distances)
    return replace(estimate, low=backward(middle - below, scale), high=backward(middle + above, scale))


def _half_width(distance: float, degrees: float, own: Variance) -> float:
    """Return the distance to an end of an interval after an error of this variance is added."""
    if math.isinf(distance):
        return distance
    return (Variance((distance / t_quantile(degrees)) ** 2, degrees) + own).half_width()
