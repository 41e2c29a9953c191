"""Accuracy and time of the models, and the accuracy and calibration of what is released of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.estimates import Estimate, Scale
from unlearnbench.core.metrics import Metric, ReleasedUtility, ScoredCell
from unlearnbench.core.metrics import Utility as Models
from unlearnbench.stats import clustered_mean

SAME_RECORDS = "all originals are trained and tested on records of the same pool, on which it depends too"
NONE_MEASURED = "a request queries no unseen record that is no canary"
SAME_MACHINE = "all originals are trained on one machine, on whose state it depends too"


@dataclass(frozen=True)
class Utility(Metric):
    """Accuracy of original and unlearned models, overfitting, wall seconds, and the utility of released posteriors.

    Accuracies of models are those before a defense releases anything. Of what is released, accuracy, log loss and
    expected calibration error (Guo et al. 2017) are measured on the random unseen records that requests query. All
    leave canaries out, since their labels are wrong on purpose.

    Test records are those that no model of the target side was trained on. Overfitting is the original's train minus
    test accuracy (Chen et al. 2021, section 5). Seconds are not reproducible. Originals share test records, the
    pool of training records and the machine, so that one seed does not show how much these numbers vary: they have an
    interval over seeds only.
    """

    reads_scores: ClassVar[bool] = False

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
    return {name: _mean(name, value, utility.episode) for name, value in values.items()}


def _of_release(released: ReleasedUtility) -> dict[str, Estimate]:
    values = {
        "released-test-accuracy": released.accuracy,
        "released-log-loss": released.log_loss,
        "released-calibration-error": released.calibration_error,
    }
    if not len(released.episode):
        return dict.fromkeys(values, Estimate.undefined(NONE_MEASURED))
    return {name: _mean(name, value, released.episode) for name, value in values.items()}


SCALES: Mapping[str, Scale] = {"overfitting": "gain", "released-log-loss": "positive"}
"""The scale of a number that is no share; that of seconds is ``positive`` too."""


def _mean(name: str, values: NDArray[np.float64], original: NDArray[np.int64]) -> Estimate:
    if name.startswith("seconds"):
        return clustered_mean(values, original, "positive").without_interval(SAME_MACHINE)
    return clustered_mean(values, original, SCALES.get(name, "share")).without_interval(SAME_RECORDS)
