"""Metrics of unlearning papers that are made of an attack's scores: MIA-efficacy, indiscernibility, epsilon."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.svm import SVC

from unlearnbench.builtin.metrics.advantage import Advantage
from unlearnbench.builtin.metrics.epsilon_lower_bound import A_BOUND, NAME, NO_PAIRS, EpsilonLowerBound
from unlearnbench.builtin.metrics.indiscernibility import Indiscernibility
from unlearnbench.builtin.metrics.mia_efficacy import NAMES, NOT_QUERIED, MiaEfficacy, share_called_unseen
from unlearnbench.builtin.metrics.retraining_gap import NO_RETRAINING
from unlearnbench.core.metrics import ScoredCell
from unlearnbench.core.scenarios import Role
from unlearnbench.stats.epsilon import epsilon_lower_bound
from unlearnbench.testing.samples import scored_cell

Numbers = NDArray[np.float64]


def softmax_of(n: int, phase: float) -> Numbers:
    record, label = np.mgrid[0:n, 0:3].astype(float)
    raw = np.exp(2 * np.sin(phase + 1.3 * record + 0.8 * label))
    return np.asarray(raw / raw.sum(axis=1, keepdims=True))


RETAIN, TEST, FORGET = softmax_of(30, 0.2), softmax_of(30, 1.9), softmax_of(12, 0.9)
LABELS = RETAIN.argmax(axis=1), 2 * np.arange(30) % 3, np.arange(12) % 3


def feature(name: str, p: Numbers, label: NDArray[np.int64]) -> Numbers:
    match name:
        case "confidence":
            return np.asarray(p[np.arange(len(p)), label][:, None])
        case "entropy":
            return np.asarray(-(p * np.log(p)).sum(axis=1)[:, None])
        case _:
            return p


@pytest.mark.parametrize(
    ("name", "known"), [("confidence", 0.8333333333333334), ("prob", 0.5833333333333333), ("entropy", 0.5)]
)
def test_known_answers_of_mia_efficacy(name: str, known: float) -> None:
    features = [feature(name, p, label) for p, label in zip((RETAIN, TEST, FORGET), LABELS, strict=True)]
    assert share_called_unseen(*features) == pytest.approx(known, rel=1e-12)


def plain_share(cell: ScoredCell, episode: int, request: int) -> float:
    """The share of one request, by a classifier of its own."""
    here = (cell.episode == episode) & (cell.request == request)
    members, unseen, asked = (
        cell.scores[here & (cell.role == role)] for role in (Role.RETAINED, Role.UNSEEN, Role.FORGOTTEN)
    )
    known = np.concatenate([members, unseen[: len(members)]])[:, None]
    label = np.repeat([1, 0], len(members))
    return float((SVC(C=3, gamma=1.0).fit(known, label).predict(asked[:, None]) == 0).mean())


def test_mia_efficacy_is_a_classifier_for_each_unlearned_model_beside_that_of_retraining() -> None:
    cell = scored_cell(originals=6, retrained=True)
    assert cell.retrained is not None
    found = MiaEfficacy().measure(cell)
    pairs = [(episode, request) for episode in range(6) for request in range(3)]
    own, other = (np.array([plain_share(one, *pair) for pair in pairs]) for one in (cell, cell.retrained))
    assert 0 < own.mean() < 1
    assert found["mia-efficacy"].value == pytest.approx(own.mean())
    assert found["mia-efficacy-retrained"].value == pytest.approx(other.mean())
    gaps = [
        own - other,
        cell.utility.train_accuracy_unlearned - cell.retrained.utility.train_accuracy_unlearned,
        cell.utility.test_accuracy_unlearned - cell.retrained.utility.test_accuracy_unlearned,
    ]
    assert found["tow-mia"].value == pytest.approx(np.prod([1 - np.abs(gap) for gap in gaps], axis=0).mean())


def test_retraining_has_no_gap_to_itself() -> None:
    cell = scored_cell()
    found = MiaEfficacy().measure(replace(cell, retrained=cell))
    assert found["tow-mia"].value == 1
    assert found["mia-efficacy"].value == found["mia-efficacy-retrained"].value


def test_a_half_of_the_originals_is_compared_with_its_own_accuracies() -> None:
    cell = scored_cell(originals=6, retrained=True)
    rows = np.isin(cell.episode, (1, 4))
    assert cell.retrained is not None
    half = replace(cell.take(rows), retrained=cell.retrained.take(rows))
    whole = MiaEfficacy().measure(half)["tow-mia"].value
    parts = []
    for episode in (1, 4):
        own = cell.episode == episode
        one = replace(cell.take(own), retrained=cell.retrained.take(own))
        parts.append(MiaEfficacy().measure(one)["tow-mia"].value or 0)
    assert whole == pytest.approx(np.mean(parts))


def test_mia_efficacy_needs_retraining_and_rows_of_all_kinds() -> None:
    cell = scored_cell(retrained=True)
    assert cell.retrained is not None
    some = cell.role != Role.RETAINED
    lacking = {
        NO_RETRAINING: replace(cell, retrained=None),
        NOT_QUERIED: replace(cell.take(some), retrained=cell.retrained.take(some)),
    }
    for reason, missing in lacking.items():
        found = MiaEfficacy().measure(missing)
        assert {name: estimate.reason for name, estimate in found.items()} == dict.fromkeys(NAMES, reason)


@pytest.mark.parametrize("sign", [1, -1])
def test_indiscernibility_is_one_minus_the_absolute_advantage(sign: int) -> None:
    cell = scored_cell(originals=8, requests=6)
    cell = replace(cell, scores=sign * cell.scores, shadow_scores=cell.shadow_scores - (sign < 0))
    advantage = Advantage().measure(cell)["advantage"]
    (found,) = Indiscernibility().measure(cell).values()
    accuracy = (1 + (advantage.value or 0)) / 2
    assert found.value == pytest.approx(1 - 2 * abs(accuracy - 0.5))
    if advantage.low is not None and advantage.high is not None:
        ends = [1 - abs(advantage.low), 1 - abs(advantage.high)]
        assert found.low == pytest.approx(min(ends))
        assert found.high == pytest.approx(1 if advantage.low <= 0 <= advantage.high else max(ends))


def test_an_advantage_that_may_be_zero_is_an_indiscernibility_that_may_be_one() -> None:
    cell = scored_cell(originals=8, requests=6)
    noise = replace(cell, scores=np.random.default_rng(0).random(len(cell.scores)))
    advantage = Advantage().measure(noise)["advantage"]
    assert (advantage.low or 0) < 0 < (advantage.high or 0)
    (found,) = Indiscernibility().measure(noise).values()
    assert found.high == 1


def test_the_bound_of_epsilon_takes_one_pair_of_each_original() -> None:
    cell = scored_cell(originals=60)
    clear = replace(
        cell,
        scores=np.where(cell.role == Role.FORGOTTEN, 1.0, 0.0),
        shadow_scores=np.where(cell.shadow_deleted, 1.0, 0.0),
    )
    (found,) = EpsilonLowerBound().measure(clear).values()
    assert found.value == pytest.approx(epsilon_lower_bound(60, 60, 0, 60, 1e-5))
    assert (found.n, found.reason) == (120, A_BOUND)
    later = clear.request > 0
    moved = replace(clear, scores=np.where(later | (clear.position > 0), 0.5, clear.scores))
    assert EpsilonLowerBound().measure(moved)[NAME] == found


def test_without_a_leak_the_bound_of_epsilon_is_zero() -> None:
    bounds = []
    for seed in range(100):
        cell, rng = scored_cell(originals=20, requests=1, seed=seed), np.random.default_rng(seed)
        noise = replace(cell, scores=rng.random(len(cell.scores)), shadow_scores=rng.random(len(cell.shadow_scores)))
        bounds.append(EpsilonLowerBound().measure(noise)[NAME].value)
    assert np.mean(np.array(bounds) == 0) >= 0.95


def test_the_bound_of_epsilon_is_not_defined_without_pairs() -> None:
    cell = scored_cell()
    (found,) = EpsilonLowerBound().measure(cell.take(cell.role != Role.UNSEEN)).values()
    assert (found.value, found.reason) == (None, NO_PAIRS)
