"""Accuracy and time of the models, and the accuracy and calibration of what is released of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ReleasedUtility, ScoredCell
from unlearnbench.core.metrics import Utility as Models
from unlearnbench.stats import clustered_mean


@dataclass(frozen=True)
class Utility(Metric):
    """Accuracy of original and unlearned models, overfitting, wall seconds, and the utility of released posteriors.

    Accuracies of models are those before a defense releases anything. Of what is released, accuracy, log loss and
    expected calibration error (Guo et al. 2017) are measured on the random unseen records that requests query.

    Test records are those that no model of the target side was trained on. Overfitting is the original's train minus
    test accuracy (Chen et al. 2021, section 5). Seconds are not reproducible.
    """

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return accuracies, overfitting and seconds, averaged over originals, and the utility of what is released."""
        return {**_of_models(cell.utility), **_of_release(cell.released)}


def _of_models(utility: Models) -> dict[str, Estimate]:
    values = {
        "train-accuracy-original": utility.train_accuracy_original,
        "test-accuracy-original": utility.test_accuracy_original,
        "train-accuracy-unlearned": utility.train_accuracy_unlearned,
        "test-accuracy-unlearned": utility.test_accuracy_unlearned,
        "overfitting": utility.train_accuracy_original - utility.test_accuracy_original,
        "seconds-to-train": utility.seconds_to_train,
        "seconds-to-unlearn": utility.seconds_to_unlearn,
    }
    return {name: clustered_mean(value, utility.episode) for name, value in values.items()}


def _of_release(released: ReleasedUtility) -> dict[str, Estimate]:
    values = {
        "released-test-accuracy": (released.accuracy, 1.0),
        "released-log-loss": (released.log_loss, math.inf),
        "released-calibration-error": (released.calibration_error, 1.0),
    }
    if not len(released.episode):
        return dict.fromkeys(values, Estimate.undefined("a request queries no unseen record"))
    return {name: clustered_mean(value, released.episode, (0.0, most)) for name, (value, most) in values.items()}
