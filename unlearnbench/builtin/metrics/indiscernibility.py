"""Indiscernibility: how near an attack's accuracy is to that of chance (Cadet et al. 2024, arXiv 2410.01276)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from unlearnbench.builtin.metrics.advantage import Advantage
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell


@dataclass(frozen=True)
class Indiscernibility(Metric):
    """1 - 2 abs(A - 1/2), where A is the attack's accuracy on as many deleted as unseen records: 1 is chance.

    The threshold is that of ``advantage``, so that it equals 1 - abs(advantage). It rewards chance: where retraining
    itself is told from chance, a value nearer to 1 than that of retraining is no merit.
    """

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return ``indiscernibility``."""
        return {"indiscernibility": _nearness_to_chance(Advantage().measure(cell)["advantage"])}


def _nearness_to_chance(advantage: Estimate) -> Estimate:
    if advantage.value is None:
        return advantage
    found = replace(advantage, value=1 - abs(advantage.value), scale="share")
    if advantage.low is None or advantage.high is None:
        return found
    nearest = 0.0 if advantage.low <= 0 <= advantage.high else min(abs(advantage.low), abs(advantage.high))
    return replace(found, low=1 - max(abs(advantage.low), abs(advantage.high)), high=1 - nearest)
