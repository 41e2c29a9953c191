"""Columns in another order than the labels, or than the other model's, are refused; poor models are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.audit.conftest import softmax
from unlearnbench.audit.answers import read_answers
from unlearnbench.audit.class_order import other_order
from unlearnbench.core.errors import UserError

Arrays = dict[str, Any]
Save = Callable[..., Path]


def answers(accuracy: float = 0.9, classes: int = 3, rows: int = 200, seed: int = 0) -> Arrays:
    """Answers of two models that are right on this share of all records."""
    rng = np.random.default_rng(seed)
    label = rng.integers(classes, size=rows)

    def model() -> NDArray[np.float64]:
        told = np.where(rng.random(rows) < accuracy, label, rng.integers(classes, size=rows))
        return softmax(rng.normal(size=(rows, classes)) + 9 * (np.arange(classes) == told[:, None]))

    role = np.repeat(["forgotten", "retained", "unseen"], [20, (rows - 20) // 2, (rows - 20) // 2])
    return {"role": role, "label": label, "before": model(), "after": model()}


def refusal(file: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_answers(file)
    return str(caught.value).removeprefix(f"{file}: ")


def test_columns_in_the_order_of_the_labels_are_read(npz: Save) -> None:
    assert read_answers(npz(answers())).n_classes == 3


def test_two_columns_of_one_model_that_are_exchanged_are_refused(npz: Save) -> None:
    given = answers()
    told = refusal(npz({**given, "after": given["after"][:, [1, 0, 2]]}))
    assert told.startswith("after and label have the classes in different orders: of 100 records that were not deleted")
    assert told.endswith("with after_0 as class 1, after_1 as class 0; give the same order in both")


@pytest.mark.parametrize("classes", [2, 3, 10, 50])
def test_labels_that_count_from_another_class_are_refused(classes: int, npz: Save) -> None:
    given = answers(classes=classes, rows=20 + 40 * classes)
    told = refusal(npz({**given, "label": (given["label"] + 1) % classes}))
    assert told.startswith("before and label have the classes in different orders")


def test_without_labels_the_two_models_are_compared(npz: Save) -> None:
    given = answers()
    del given["label"]
    assert not read_answers(npz(given)).has_label
    told = refusal(npz({**given, "after": given["after"][:, [2, 1, 0]]}))
    assert told.startswith("after and before have the classes in different orders")


def test_any_order_of_ten_classes_is_found(npz: Save) -> None:
    for seed in range(10):
        given = answers(classes=10, rows=420, seed=seed)
        order = np.random.default_rng(seed).permutation(10)
        assert "have the classes in different orders" in refusal(npz({**given, "before": given["before"][:, order]}))


def test_poor_models_are_not_taken_for_exchanged_columns() -> None:
    rng, alarms = np.random.default_rng(0), 0
    for _ in range(1000):
        classes, rows = rng.integers(2, 30), rng.integers(10, 800)
        right = rng.random()
        told, label = rng.integers(classes, size=(2, rows))
        told = np.where(rng.random(rows) < right * rng.random(), label, told)
        alarms += other_order(told, label) is not None
    assert alarms == 0


def test_a_model_that_no_longer_knows_a_class_has_no_other_order() -> None:
    rng = np.random.default_rng(1)
    label = rng.integers(5, size=400)
    told = np.where(label == 3, 4, label)
    mostly_forgotten = (label == 3) | (rng.random(400) < 0.1)
    assert other_order(told, label) is None
    assert other_order(told[mostly_forgotten], label[mostly_forgotten]) is None


def test_a_model_of_one_answer_has_no_other_order() -> None:
    label = np.arange(300) % 3
    assert other_order(np.zeros(300, dtype=np.int64), label) is None
    assert other_order(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)) is None
