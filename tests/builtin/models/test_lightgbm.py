from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from unlearnbench.builtin.models.lightgbm import LightGBM
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.records import TrainingSet

if TYPE_CHECKING:
    from tests.builtin.models.conftest import Blobs


@pytest.mark.parametrize("n_classes", [2, 4])
def test_it_is_the_library_at_its_defaults(n_classes: int, blobs: Blobs, seeds: Seeds) -> None:
    from lightgbm import LGBMClassifier

    records = blobs(n=400, n_classes=n_classes)
    fitted = LightGBM(n_estimators=20).fit(FitTask(TrainingSet.of(records, np.arange(400)), seeds), "cpu")
    theirs = LGBMClassifier(n_estimators=20, n_jobs=1, verbosity=-1, deterministic=True, force_row_wise=True)
    expected = np.asarray(theirs.fit(records.x, records.y).predict_proba(records.x))
    assert np.array_equal(np.exp(fitted.log_posteriors(records.x)).round(12), expected.round(12))


def test_too_few_records_to_split_give_the_class_shares(blobs: Blobs, seeds: Seeds) -> None:
    records = blobs(n=30, n_classes=2)
    fitted = LightGBM().fit(FitTask(TrainingSet.of(records, np.arange(30)), seeds), "cpu")
    np.testing.assert_allclose(np.exp(fitted.log_posteriors(records.x)), 0.5, atol=1e-6)


def test_nothing_is_printed(blobs: Blobs, seeds: Seeds, capfd: pytest.CaptureFixture[str]) -> None:
    LightGBM(n_estimators=2).fit(FitTask(TrainingSet.of(blobs(n=30), np.arange(30)), seeds), "cpu")
    assert capfd.readouterr() == ("", "")
