from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from unlearnbench.builtin.datasets import bundled
from unlearnbench.builtin.datasets.breast_cancer import BreastCancer
from unlearnbench.builtin.datasets.digits import Digits
from unlearnbench.core.dataset_cards import card
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Provenance


def test_digits_are_1797_images_of_64_pixels() -> None:
    described = card(Digits().load())
    assert (described.rows, described.features, described.duplicates) == (1_797, 64, 0)
    assert [count for _, count in described.classes] == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_digits_use_the_whole_range_of_levels_that_they_declare_and_breast_cancer_declares_none() -> None:
    digits = Digits().load()
    assert BreastCancer().load().bounds is None
    assert digits.bounds == (digits.x.min(), digits.x.max()) == (0, 16)


def test_breast_cancer_is_569_tumours_of_30_features() -> None:
    described = card(BreastCancer().load())
    assert (described.rows, described.features, described.duplicates) == (569, 30, 0)
    assert described.classes == (("malignant", 212), ("benign", 357))


def test_other_records_than_the_pinned_ones_are_refused() -> None:
    bunch = SimpleNamespace(
        data=np.zeros((2, 1)), target=np.array([0, 1]), feature_names=["f"], target_names=np.array(["a", "b"])
    )
    with pytest.raises(UserError, match="toy: this scikit-learn holds other records: expected sha256 abc, found "):
        bundled.records("toy", bunch, Provenance("", ""), "abc")


def test_both_are_at_hand() -> None:
    assert Digits().availability().available
    assert BreastCancer().availability().available
