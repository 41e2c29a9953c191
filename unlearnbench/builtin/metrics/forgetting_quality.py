"""Forgetting quality of the NeurIPS 2023 competition (Triantafillou et al. 2024, arXiv 2406.09073)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unlearnbench.builtin.metrics.reference_samples import Numbers, ReferenceMetric, reference_samples
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import ScoredCell
from unlearnbench.stats.forgetting_quality import record_qualities, told_apart


@dataclass(frozen=True)
class ForgettingQuality(ReferenceMetric):
    """How little answers about deleted records tell unlearned from retrained reference models: 1 is not at all.

    Each record has an epsilon, the best of many tests on N models of either kind. It counts 2^-b for the bin b of width
    .5 that it is in, and 0 beyond what N models can show. So values with other N cannot be compared, and N is in the
    name: ``forgetting-quality-n32``. A perfect unlearner has less than 1: ``forgetting-quality-n32-retrained`` is the
    value of retraining, by models that share nothing.

    ``references``: 2 N reference models; half of them have held any one record and are compared with the other half
    """

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return the value of the unlearner and that of retraining."""
        name, samples = f"forgetting-quality-n{self.references // 2}", reference_samples(cell, self.references)
        if isinstance(samples, str):
            return dict.fromkeys((name, f"{name}-retrained"), Estimate.undefined(samples))
        return {
            name: samples.mean(lambda part: _quality(part.unlearned, part.without), "share"),
            f"{name}-retrained": samples.mean(lambda part: _quality(part.retrained, part.without), "share"),
        }


def _quality(one: Numbers, without: Numbers) -> Numbers:
    """Return the quality of each record (r,)."""
    return record_qualities(told_apart(one, without), one.shape[1])
