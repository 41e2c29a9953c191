"""When DegCount and DegRate are defined."""

from __future__ import annotations

from unlearnbench.core.metrics import Scored

NO_PROBABILITIES = "n/a: scores are no probabilities"


def has_confidences(scored: Scored) -> bool:
    """Return whether attack and baseline both give probabilities, which confidence in the true status needs."""
    return scored.probabilistic and scored.baseline_probabilistic
