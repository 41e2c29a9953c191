"""Answers of models that never were, so that these tests know the truth."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.audit.answers import Answers, read_answers
from unlearnbench.audit.files import read_columns
from unlearnbench.audit.references import References, read_references
from unlearnbench.core.errors import UserError

Arrays = dict[str, Any]
MakeArrays = Callable[..., Arrays]
Save = Callable[..., Path]
Read = Callable[[Arrays, Arrays], tuple[Answers, References]]


def make_arrays(
    forgotten: int = 20, unseen: int = 120, retained: int = 10, leak: float = 0.0, classes: int = 3, seed: int = 0
) -> Arrays:
    """Answers that differ before and after by noise and, of forgotten records, by ``leak`` on the label's logit."""
    rng = np.random.default_rng(seed)
    role = np.repeat(["forgotten", "unseen", "retained"], [forgotten, unseen, retained])
    label = rng.integers(classes, size=len(role))
    before = rng.normal(size=(len(role), classes))
    after = before + 0.3 * rng.normal(size=before.shape)
    after[np.arange(len(role)), label] -= leak * (role == "forgotten")
    return {"role": role, "label": label, "before": softmax(before), "after": softmax(after)}


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def save_npz(path: Path, arrays: Arrays) -> Path:
    np.savez(path, **arrays)
    return path


def save_csv(path: Path, arrays: Arrays) -> Path:
    columns: dict[str, list[Any]] = {}
    for name, values in arrays.items():
        matrix = np.asarray(values)
        one = {name: matrix} if matrix.ndim == 1 else {f"{name}_{c}": matrix[:, c] for c in range(matrix.shape[1])}
        columns |= {key: [repr(v) if isinstance(v, float) else v for v in array.tolist()] for key, array in one.items()}
    with path.open("w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


@pytest.fixture
def arrays() -> MakeArrays:
    return make_arrays


@pytest.fixture
def npz(tmp_path: Path) -> Save:
    return lambda arrays, name="answers.npz": save_npz(tmp_path / name, arrays)


@pytest.fixture
def read(npz: Save) -> Read:
    """Return the answers of a target and of reference models, as they are read from files."""

    def read(target: Arrays, references: Arrays) -> tuple[Answers, References]:
        answers = read_answers(npz(target))
        return answers, read_references(npz(references, "references.npz"), answers)

    return read


@pytest.fixture
def as_csv(tmp_path: Path) -> Save:
    return lambda arrays, name="answers.csv": save_csv(tmp_path / name, arrays)


@pytest.fixture
def failure() -> Callable[[Path], str]:
    """Return what is told of a file that cannot be read: one line, which begins with its name."""

    def failure(file: Path) -> str:
        with pytest.raises(UserError) as caught:
            read_columns(file)
        told = str(caught.value)
        assert told.startswith(f"{file}: ")
        assert "\n" not in told
        assert len(told) <= 300 + len(str(file))
        return told.removeprefix(f"{file}: ")

    return failure
