"""When DegCount and DegRate are defined."""

from __future__ import annotations

from unlearnbench.core.metrics import ScoredCell

NO_PROBABILITIES = "n/a: scores are no probabilities"


def has_confidences(cell: ScoredCell) -> bool:
    """Return whether attack and baseline both give probabilities, which confidence in the true status needs."""
    return cell.probabilistic and cell.baseline_probabilistic
