"""The label-only attacks on noisy copies: worked examples, plain loops, no trace and a trace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from unlearnbench.builtin.attacks.augmentation import Augmentation, AugmentationFall
from unlearnbench.builtin.attacks.noise_robustness import NoiseRobustness, NoiseRobustnessFall
from unlearnbench.builtin.attacks.noisy_labels import NoisyLabelAttack
from unlearnbench.core.copies import SCALES, CopyAnswers
from unlearnbench.core.errors import UserError
from unlearnbench.core.observations import View
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.testing.samples import game

Numbers = NDArray[np.float64]
ATTACKS = [Augmentation(), AugmentationFall(), NoiseRobustness(), NoiseRobustnessFall()]


def view(attack: NoisyLabelAttack, before: Numbers, after: Numbers, label: NDArray[np.int64]) -> View:
    """Return rows with these answers (n, K, S, C) about their copies."""
    shown = replace(game(len(label), before.shape[-1]), label=label).view(attack.needs)
    return replace(shown, _copies=CopyAnswers(before, after))


def answers(right: list[list[int]]) -> Numbers:
    """Return answers (1, K, S, 2), right (class 0) where ``right`` (K, S) says so."""
    flags = np.array(right, dtype=float)
    return log_softmax(np.stack([2 * flags, np.ones_like(flags)], axis=-1))[None]


def score(attack: NoisyLabelAttack, before: list[list[int]], after: list[list[int]]) -> float:
    (found,) = attack.score(view(attack, answers(before), answers(after), np.zeros(1, dtype=np.int64)))
    return float(found)


ALWAYS = [[1, 1, 1, 1, 1], [1, 1, 1, 1, 1]]
PARTLY = [[1, 1, 0, 0, 1], [0, 1, 1, 1, 1]]


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        (Augmentation(copies=2, scale=0.1), 0.5),
        (Augmentation(copies=2, scale=0.2), 1.0),
        (Augmentation(copies=2, scale=0.4), 0.5),
        (AugmentationFall(copies=2, scale=0.4), 0.5),
        (NoiseRobustness(copies=2), (0.2 + 0) / 2),
        (NoiseRobustnessFall(copies=2), 1.6 - 0.1),
    ],
    ids=str,
)
def test_known_answers(attack: NoisyLabelAttack, expected: float) -> None:
    assert score(attack, ALWAYS, PARTLY) == pytest.approx(expected)


def draws(seed: int, known: float, n: int = 300, copies: int = 8) -> tuple[Numbers, Numbers, Any, NDArray[np.bool_]]:
    """Return answers about copies, before and after, of rows of which half were deleted.

    The answer goes to the other class as the noise grows; a record that a model knows holds out longer by ``known``.
    """
    rng = np.random.default_rng(seed)
    deleted, label = rng.permutation(n) % 2 == 0, rng.integers(2, size=n)
    direction = rng.normal(size=(n, copies, 1)) * np.array(SCALES)
    level = 0.5 + 0.5 * rng.normal(size=(n, 1, 1))

    def answered(lift: NDArray[np.float64]) -> Numbers:
        margin = level + lift[:, None, None] + direction
        signed = np.where(label[:, None, None] == 1, margin, -margin)
        return log_softmax(np.stack([np.zeros_like(signed), signed], axis=-1))

    return answered(known * deleted), answered(np.zeros(n)), label, deleted


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: type(attack).__name__)
def test_they_equal_plain_loops(attack: NoisyLabelAttack) -> None:
    before, after, label, _ = draws(0, 1.0, n=40)

    def held(copies: Numbers, y: int) -> float:
        """Return the number of one row by a loop over copies and scales."""
        found = []
        for copy in copies:
            right = [int(np.argmax(p)) == y for p in copy]
            if isinstance(attack, Augmentation):
                found.append(float(right[1]))
            else:
                wrong = right.index(False) if False in right else len(right)
                found.append(SCALES[wrong - 1] if wrong else 0.0)
        return sum(found) / len(found)

    falls = isinstance(attack, AugmentationFall | NoiseRobustnessFall)
    rows = zip(before, after, label, strict=True)
    expected = [held(b, y) - held(a, y) if falls else held(a, y) for b, a, y in rows]
    assert attack.score(view(attack, before, after, label)) == pytest.approx(expected)
    assert len(set(expected)) > 3


def found(attack: NoisyLabelAttack, seed: int, known: float) -> float:
    """Return the AUC where the unlearned model is the original for ``none``-like attacks, else has forgotten."""
    before, after, label, deleted = draws(seed, known)
    asked = after if attack.versions == "both" else before
    return float(roc_auc_score(deleted, attack.score(view(attack, before, asked, label))))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: type(attack).__name__)
@pytest.mark.parametrize(("known", "least", "most"), [(0.0, 0.48, 0.52), (1.0, 0.65, 1.0)])
def test_they_are_at_chance_without_a_trace_and_find_records_that_a_model_knows(
    attack: NoisyLabelAttack, known: float, least: float, most: float
) -> None:
    assert least < np.mean([found(attack, seed, known) for seed in range(30)]) < most


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: type(attack).__name__)
def test_they_read_nothing_but_the_most_probable_class(attack: NoisyLabelAttack) -> None:
    before, after, label, _ = draws(1, 1.0)

    def labels(copies: Numbers) -> Numbers:
        return log_softmax(5 * np.eye(2)[copies.argmax(axis=-1)])

    told = attack.score(view(attack, labels(before), labels(after), label))
    assert told.tolist() == attack.score(view(attack, before, after, label)).tolist()


def test_a_scale_that_no_copy_has_is_refused() -> None:
    with pytest.raises(UserError, match=r"^scale: must be one of 0.1, 0.2, 0.4, 0.8, 1.6, got 0.3$"):
        Augmentation(scale=0.3)
