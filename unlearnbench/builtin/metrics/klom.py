"""KLOM: how far unlearned models answer from retrained ones (Georgiev et al. 2024, arXiv 2410.23232)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from unlearnbench.builtin.metrics.reference_samples import Numbers, ReferenceMetric, ReferenceSamples, reference_samples
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import ScoredCell
from unlearnbench.stats.klom import klom

NAMES = ("klom-unlearned-retrained", "klom-retrained-unlearned", "klom-floor")
TAIL = 95
"""The percentile over records that is given beside the mean."""


@dataclass(frozen=True)
class Klom(ReferenceMetric):
    """Divergence of the log-odds of deleted records between unlearned and retrained reference models, in nats.

    ``klom-unlearned-retrained`` is KL(unlearned || retrained), the mean over deleted records of the divergence of
    histograms; ``klom-retrained-unlearned`` is the other direction, which the authors' runner computes;
    ``klom-floor`` is what retraining itself has, by models that share nothing. With few models the floor is high.
    Each has a 95th percentile over records beside it (``-95``).

    ``references``: reference models; half of them have held any one record and are compared with the other half
    """

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return both directions and the floor, each with its percentile."""
        samples = reference_samples(cell, self.references)
        if isinstance(samples, str):
            names = [name + end for name in NAMES for end in ("", f"-{TAIL}")]
            return dict.fromkeys(names, Estimate.undefined(samples))
        found: dict[str, Estimate] = {}
        for name, divergence in zip(NAMES, _divergences(samples), strict=True):
            found[name] = samples.mean(divergence)
            found[f"{name}-{TAIL}"] = samples.number(float(np.percentile(divergence, TAIL)))
        return found


def _divergences(samples: ReferenceSamples) -> tuple[Numbers, Numbers, Numbers]:
    """Return a divergence for each record (r,), in the order of :data:`NAMES`."""
    unlearned, without = samples.unlearned, samples.without
    return klom(unlearned, without), klom(without, unlearned), klom(samples.retrained, without)
