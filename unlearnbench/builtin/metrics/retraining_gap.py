"""How an unlearned model differs from the one that was retrained for the same request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.metrics.utility import SAME_RECORDS
from unlearnbench.core.estimates import Estimate, Scale
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.core.metrics import Utility as Models
from unlearnbench.stats import clustered_mean

NO_RETRAINING = "there is no retrained model to compare with"
NOTHING_FORGOTTEN = "a request deletes no record of the training set, or the submission does not say how it is answered"
NOT_QUERIED = "a request queries no deleted or no unseen record"
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class RetrainingGap(Metric):
    """Accuracies of unlearned models less those of the paired retrained ones, tug-of-war, and how answers differ.

    Paired are the models of one original and request, so that no variation of data and seeds is in the difference.
    Accuracies are those of the models, on the records to forget, on the retain set and on records that no model was
    trained on; a positive gap is a higher accuracy than retraining gives. Tug-of-war is the product of one minus the
    absolute gaps of the three, averaged over requests (Zhao et al. 2024, arXiv 2406.01257); 1 is as good as retraining.
    The divergence is that of Jensen and Shannon, base 2, between released posteriors: 0 for equal ones.
    """

    reads_scores: ClassVar[bool] = False
    reads_retrained: ClassVar[bool] = True

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return the three gaps, ``tug-of-war``, ``divergence-forgotten`` and ``divergence-unseen``."""
        if cell.retrained is None:
            return dict.fromkeys((*GAPS, TUG_OF_WAR, *DIVERGENCES), Estimate.undefined(NO_RETRAINING))
        gaps = _gaps(cell.utility, cell.retrained.utility)
        answers = zip(DIVERGENCES, cell.divergence, strict=True)
        together = np.prod([1 - np.abs(gap) for gap in gaps.values()], axis=0)
        return {
            **{name: _mean(gap, cell, "gain", NOTHING_FORGOTTEN) for name, gap in gaps.items()},
            TUG_OF_WAR: _mean(together, cell, "share", NOTHING_FORGOTTEN),
            **{name: _mean(each, cell, "share", NOT_QUERIED) for name, each in answers},
        }


GAPS = ("forget-accuracy-gap", "retain-accuracy-gap", "test-accuracy-gap")
TUG_OF_WAR = "tug-of-war"
DIVERGENCES = ("divergence-forgotten", "divergence-unseen")


def _gaps(own: Models, retrained: Models) -> dict[str, Numbers]:
    pairs = (
        own.forget_accuracy_unlearned - retrained.forget_accuracy_unlearned,
        own.train_accuracy_unlearned - retrained.train_accuracy_unlearned,
        own.test_accuracy_unlearned - retrained.test_accuracy_unlearned,
    )
    return dict(zip(GAPS, pairs, strict=True))


def _mean(values: Numbers, cell: ScoredCell, scale: Scale, missing: str) -> Estimate:
    """Return the mean over requests; undefined, with the reason ``missing``, where a request has no number."""
    if not len(values) or np.isnan(values).any():
        return Estimate.undefined(missing)
    return clustered_mean(values, cell.utility.episode, scale).without_interval(SAME_RECORDS)
