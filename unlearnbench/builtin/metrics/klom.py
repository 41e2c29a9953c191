"""KLOM: how far unlearned models answer from retrained ones (Georgiev et al. 2024, arXiv 2410.23232)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from unlearnbench.builtin.metrics.reference_samples import Numbers, ReferenceMetric, ReferenceSamples, reference_samples
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import ScoredCell
from unlearnbench.stats.klom import klom

DIVERGENCES: Final[Mapping[str, Callable[[ReferenceSamples], Numbers]]] = {
    "klom-unlearned-retrained": lambda samples: klom(samples.unlearned, samples.without),
    "klom-retrained-unlearned": lambda samples: klom(samples.without, samples.unlearned),
    "klom-floor": lambda samples: klom(samples.retrained, samples.without),
}
"""The divergence of each record (r,), by name."""
TAIL: Final = 95
"""The percentile over records that is given beside the mean."""
NO_TAIL: Final = "a percentile over records jumps where a model is left out: its variance is not known"


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
            names = [name + end for name in DIVERGENCES for end in ("", f"-{TAIL}")]
            return dict.fromkeys(names, Estimate.undefined(samples))
        found: dict[str, Estimate] = {}
        for name, divergence in DIVERGENCES.items():
            found[name] = samples.mean(divergence, "positive")
            found[f"{name}-{TAIL}"] = _tail(divergence(samples))
        return found


def _tail(divergence: Numbers) -> Estimate:
    value = float(np.percentile(divergence, TAIL))
    return Estimate(value, n=len(divergence), status="no-interval", reason=NO_TAIL, scale="positive")
