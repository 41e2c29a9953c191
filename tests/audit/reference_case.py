"""Answers of a target and of reference models that never were, so that tests know who was a member."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.audit.conftest import softmax

Arrays = dict[str, Any]

MODELS = 8


def case(seed: int = 0, kept: float = 0.0, records: int = 120) -> tuple[Arrays, Arrays]:
    """Answers of a target and of reference models; unlearning keeps this part of what training adds to the logit."""
    rng = np.random.default_rng(seed)
    label = rng.integers(3, size=records)
    level = 2 * rng.normal(size=(records, 1, 3))
    member = np.argsort(rng.random((records, MODELS + 1)), axis=1) < MODELS // 2
    member[:, -1] = np.arange(records) < records // 4
    logits = level + 0.3 * rng.normal(size=(records, MODELS + 1, 3))
    before, after = logits.copy(), logits + 0.1 * rng.normal(size=logits.shape)
    row = np.arange(records)
    before[row, :, label] += 1.5 * member
    after[row, :, label] += 1.5 * kept * member
    record = np.array([f"r{number}" for number in rng.permutation(records)])
    target = {
        "role": np.where(member[:, -1], "forgotten", "unseen"),
        "label": label,
        "record": record,
        "before": softmax(before[:, -1].reshape(-1, 3)),
        "after": softmax(after[:, -1].reshape(-1, 3)),
    }
    shape = records * MODELS
    references = {
        "record": np.repeat(record, MODELS),
        "model": np.tile(np.arange(MODELS), records),
        "member": np.where(member[:, :-1].reshape(shape), "in", "out"),
        "before": softmax(before[:, :-1].reshape(shape, 3)),
        "after": softmax(after[:, :-1].reshape(shape, 3)),
    }
    return target, references


def with_population(target: Arrays, references: Arrays, size: int = 40, seed: int = 9) -> tuple[Arrays, Arrays]:
    """The same, and as many records that no model is trained on."""
    rng = np.random.default_rng(seed)
    label, level = rng.integers(3, size=size), 2 * rng.normal(size=(size, 1, 3))
    answers = softmax((level + 0.3 * rng.normal(size=(size, MODELS + 1, 3))).reshape(-1, 3)).reshape(size, -1, 3)
    record, shape = np.array([f"p{number}" for number in range(size)]), (size * MODELS, 3)
    others = {
        "record": np.repeat(record, MODELS),
        "model": np.tile(np.arange(MODELS), size),
        "member": np.repeat("out", size * MODELS),
        "before": answers[:, :-1].reshape(shape),
        "after": answers[:, :-1].reshape(shape),
    }
    asked = {"before": answers[:, -1], "after": answers[:, -1]}
    own = {"role": np.repeat("population", size), "label": label, "record": record, **asked}
    return added(target, own), added(references, others)


def added(one: Arrays, other: Arrays) -> Arrays:
    return {name: np.concatenate([one[name], other[name]]) for name in one}


def rows_of(arrays: Arrays, chosen: NDArray[np.bool_]) -> Arrays:
    return {name: values[chosen] for name, values in arrays.items()}
