"""Whether two independent measurements of one AUC differ by more than chance."""

from __future__ import annotations

import math

import numpy as np

from unlearnbench.stats.ranking import Measured, on_logit_scale, two_sided


def gap_p(one: Measured, other: Measured) -> float | None:
    """Return the two-sided p-value of two measurements on other records with other seeds being of the same AUC.

    Welch's t test over seeds, where both have several; else a t test on the logit scale by the two standard errors.
    None where an error is not known. Records that both drew from one data set make errors alike, and the test cautious.
    """
    if min(len(one.by_seed), len(other.by_seed)) > 1:
        return _welch(np.asarray(one.by_seed), np.asarray(other.by_seed))
    known = [on_logit_scale(each.estimate) for each in (one, other)]
    if known[0] is None or known[1] is None:
        return None
    (x, x_se, x_degrees), (y, y_se, y_degrees) = known[0], known[1]
    return two_sided(x - y, math.hypot(x_se, y_se), min(x_degrees, y_degrees))


def _welch(a: np.ndarray, b: np.ndarray) -> float:
    parts = [float(values.var(ddof=1)) / len(values) for values in (a, b)]
    variance = sum(parts)
    if variance == 0:
        return two_sided(float(a.mean() - b.mean()), 0.0, math.inf)
    degrees = variance**2 / sum(part**2 / (len(values) - 1) for part, values in zip(parts, (a, b), strict=True))
    return two_sided(float(a.mean() - b.mean()), math.sqrt(variance), degrees)
