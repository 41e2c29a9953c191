from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.engine.gradients.case import LINEAR, NETWORK, Case, made_up, weights
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.scenarios.memorised import memorisation
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.builtin.unlearners.gradient.rum import RUM
from unlearnbench.builtin.unlearners.gradient.salun import SalUn
from unlearnbench.core.records import TrainingSet
from unlearnbench.core.strata import Candidates
from unlearnbench.engine.unlearners import Deletion

SCORES = np.full(90, np.nan)
SCORES[:9] = [0.0, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, -0.4]
LOW, MIDDLE, HIGH = [0, 1, 8], [2, 3, 4], [5, 6, 7]
TRAINED = Case(MLP(hidden=(8,), epochs=60, batch_size=16), made_up())
FAST = RUM(epochs=(0, 2, 1), learning_rate=0.05)


def scored(method: RUM, forget: list[int], scores: NDArray[np.float64] = SCORES) -> Deletion:
    return replace(NETWORK.deletions(method, [forget])[0], precomputed=scores)


ALL = scored(RUM(), [*range(9)])


def test_groups_are_of_the_level_that_the_score_is_nearest_to() -> None:
    groups = RUM().groups(scored(RUM(), [*range(9)]))
    assert [group.tolist() for group in groups] == [LOW, MIDDLE, HIGH]


@given(st.lists(st.integers(0, 59), unique=True, max_size=30), st.integers(0, 99))
def test_every_record_is_in_one_group(forget: list[int], seed: int) -> None:
    deletion = replace(ALL, forget=TrainingSet.of(NETWORK.records, forget))
    scores = np.random.default_rng(seed).uniform(-1, 1, 90)
    groups = RUM().groups(replace(deletion, precomputed=scores))
    assert sorted(np.concatenate(groups).tolist()) == sorted(forget)


def test_groups_to_be_forgotten_later_are_retained_until_then() -> None:
    first, second, third = RUM()._parts(scored(RUM(), [*range(9)]))
    others = set(range(9, 60))
    assert set(first.retain.kept_ids) == others | {*MIDDLE, *HIGH}
    assert set(second.retain.kept_ids) == others | {*HIGH}
    assert set(third.retain.kept_ids) == others


def test_it_is_the_methods_one_after_the_other() -> None:
    deletion = scored(FAST, [*range(9)])
    _, second, third = FAST._parts(deletion)
    (middle,) = Finetune(epochs=2, learning_rate=0.05).unlearn_all([second])
    (high,) = SalUn(epochs=1, learning_rate=0.05).unlearn_all([replace(third, fitted=middle)])
    assert np.array_equal(weights(FAST.unlearn(deletion)), weights(high))


def test_a_group_without_a_method_and_an_empty_one_leave_the_network() -> None:
    for forget in (LOW, []):
        deletion = scored(RUM(), forget)
        assert RUM().unlearn(deletion) is deletion.fitted
        assert RUM().record_passes(deletion) == 0


def test_requests_served_together_are_as_those_served_alone() -> None:
    deletions = [scored(FAST, forget) for forget in ([0, 2, 5], [5, 6], [1])]
    together = FAST.unlearn_all(deletions)
    assert all(
        np.array_equal(weights(FAST.unlearn(one)), weights(got)) for one, got in zip(deletions, together, strict=True)
    )


def test_the_passes_are_those_of_its_methods() -> None:
    """Nine records of sixty go, of an original of three epochs: 54 retained ones twice, then 51 and three once."""
    assert FAST.record_passes(scored(FAST, [*range(9)])) == pytest.approx((2 * 54 + 51 + 3 + 3) / (3 * 51))


def test_the_proxy_is_what_the_original_is_not_confident_of() -> None:
    (deletion,) = TRAINED.deletions(RUM(), [range(60)])
    posteriors = np.exp(TRAINED.original().fitted.log_posteriors(TRAINED.records.x[:60]))
    doubt = 1 - posteriors[np.arange(60), TRAINED.records.y[:60]]
    expected = np.digitize(doubt, [0.25, 0.75])
    assert set(expected) == {0, 1, 2}
    assert [group.tolist() for group in RUM().groups(deletion)] == [
        np.flatnonzero(expected == k).tolist() for k in range(3)
    ]


def test_memorisation_is_that_of_the_scenario() -> None:
    original = LINEAR.original()
    scores = RUM(score="memorisation").precompute(original)
    assert scores is not None
    expected = memorisation(Candidates(original.data.records, np.arange(60), original), 16, original.seeds / "rum")
    assert np.array_equal(scores[:60], expected)
    assert np.isnan(scores[60:]).all()


def test_what_is_no_network_is_refused() -> None:
    from unlearnbench.builtin.models.decision_tree import DecisionTree

    assert RUM().refusal(DecisionTree()) == "needs a network, and DecisionTree is none"
