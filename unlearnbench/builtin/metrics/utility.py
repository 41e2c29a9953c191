"""Accuracy and time of the models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.stats import clustered_mean


@dataclass(frozen=True)
class Utility(Metric):
    """Accuracy of original and unlearned models, overfitting, and wall seconds.

    Test records are those that no model of the target side was trained on. Overfitting is the original's train minus
    test accuracy (Chen et al. 2021, section 5). Seconds are not reproducible.
    """

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return accuracies, overfitting and seconds, averaged over originals."""
        utility = cell.utility
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
