"""What the strongest of several attacks surely finds, with a correction for having chosen it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats.ranking import on_logit_scale

LEVEL: Final = 0.025
"""The probability that a bound is too high: that of the lower end of a 95 % interval."""
NO_BOUND: Final = "no attack has a known error"


def surely_found(aucs: Sequence[Estimate]) -> Estimate:
    """Return a lower bound of the highest of several AUCs, right with a probability of at least 97.5 %.

    Each AUC has a lower bound at the level .025 / k on the logit scale, where k is their number (Bonferroni), so that
    with 97.5 % none of the k bounds is too high, however the attacks depend on each other; the result is the highest
    one. Undefined where no AUC has a known error.
    """
    bounds = [bound for estimate in aucs if (bound := _bound(estimate, LEVEL / len(aucs))) is not None]
    if not bounds:
        return Estimate.undefined(NO_BOUND)
    reason = f"a lower bound of the highest of {len(aucs)} AUCs"
    return Estimate(max(bounds), n=len(aucs), status="no-interval", reason=reason, scale="share")


def _bound(estimate: Estimate, level: float) -> float | None:
    from scipy.special import stdtrit

    if (known := on_logit_scale(estimate)) is None:
        return None
    logit, se, degrees = known
    return 1 / (1 + math.exp(-(logit + float(stdtrit(min(degrees, 1e9), level)) * se)))
