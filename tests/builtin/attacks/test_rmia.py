"""RMIA and the population attack: the share of a population that a record exceeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builtin.attacks.per_record import Numbers, same_before, scores
from unlearnbench.builtin.attacks.population import Population, share_below
from unlearnbench.builtin.attacks.rmia import Rmia, probability
from unlearnbench.core.references import PopulationAnswers, ReferenceAnswers


def sigmoid(x: Numbers) -> Numbers:
    return np.asarray(1 / (1 + np.exp(-x)))


def odds(p: Numbers) -> Numbers:
    return np.log(p) - np.log1p(-p)


A, B = np.mgrid[0:12, 0:7].astype(float)
MEMBER = ((3 * A**2 + 2 * B + (A * B % 5)) % 7 < 4).astype(bool)
SIGNAL = sigmoid(np.sin(1.1 * A + 0.6 * B) + 0.4 * np.cos(2.7 * A * B))
RECORDS = np.where(MEMBER, 0.6 * SIGNAL + 0.4, SIGNAL)
OTHERS = sigmoid(np.cos(0.8 * np.arange(9)[:, None] + 0.5 * np.arange(7)))
"""The inputs of the known answers: 12 records, 7 models, of which 6 is the target and 0 to 3 are references."""

KNOWN = {
    (0.3, 1.0): [4, 5, 4, 9, 9, 7, 5, 5, 5, 9, 7, 4],
    (0.3, 2.0): [0, 2, 0, 5, 5, 4, 2, 2, 2, 5, 4, 0],
    (1.0, 1.0): [3, 5, 5, 8, 9, 7, 5, 4, 7, 9, 7, 5],
    (1.0, 2.0): [0, 2, 2, 5, 7, 4, 1, 0, 4, 5, 4, 0],
}
"""Ninths, by a and gamma: the plain definition over the references that were not trained on the record."""


def known_references() -> tuple[ReferenceAnswers, PopulationAnswers]:
    target = odds(OTHERS[:, 6])[None]
    nobody = same_before(odds(OTHERS[:, :4]), np.zeros((9, 4), dtype=np.bool_))
    population = PopulationAnswers(np.zeros(12, dtype=np.int64), target, target, nobody)
    return same_before(odds(RECORDS[:, :4]), MEMBER[:, :4]), population


@pytest.mark.parametrize(("parameters", "ninths"), KNOWN.items(), ids=str)
def test_known_answers(parameters: tuple[float, float], ninths: list[int]) -> None:
    a, gamma = parameters
    found = scores(Rmia(a=a, gamma=gamma), odds(RECORDS[:, 6]), *known_references())
    assert found == pytest.approx(np.array(ninths) / 9, abs=1e-12)


def random_case(seed: int, n: int, models: int, size: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    member = np.tile(np.arange(models) % 2 == 0, (n, 1))
    nobody = same_before(rng.normal(size=(size, models)), np.zeros((size, models), dtype=np.bool_))
    group = rng.integers(3, size=n)
    population = PopulationAnswers(group, rng.normal(size=(3, size)), rng.normal(size=(3, size)), nobody)
    return {
        "after": rng.normal(size=n),
        "references": same_before(rng.normal(size=(n, models)), member),
        "population": population,
    }


@given(st.integers(0, 2**32), st.sampled_from(["offline", "online"]), st.sampled_from([0.5, 1.0, 2.0]))
def test_it_equals_the_matrix_of_all_pairs(seed: int, mode: Any, gamma: float) -> None:
    case = random_case(seed, n=20, models=6, size=15)
    known, others, p = case["references"], case["population"], sigmoid(case["after"])
    assert others.references is not None
    inside, outside = (
        np.array([sigmoid(row[own]).mean() for row, own in zip(known.before, side, strict=True)])
        for side in (known.member, ~known.member)
    )
    elsewhere = sigmoid(others.references.before).mean(axis=1)
    if mode == "offline":
        expected, expected_z = ((1.3 * m + 0.7) / 2 for m in (outside, elsewhere))
    else:
        expected, expected_z = (inside + outside) / 2, elsewhere
    of_z = (sigmoid(others.after) / expected_z)[others.group]
    pairs = (p / expected)[:, None] / of_z > gamma
    assert scores(Rmia(mode=mode, gamma=gamma), **case) == pytest.approx(pairs.mean(axis=1), abs=1e-12)


@given(st.integers(0, 2**32))
def test_the_population_attack_is_the_share_with_a_higher_loss(seed: int) -> None:
    case = random_case(seed, n=20, models=6, size=15)
    others = case["population"]
    loss, of_others = -np.log(sigmoid(case["after"])), -np.log(sigmoid(others.after))[others.group]
    expected = (of_others > loss[:, None]).mean(axis=1)
    assert scores(Population(), case["after"], population=others) == pytest.approx(expected, abs=1e-12)


def test_equal_values_are_not_below() -> None:
    share = share_below(np.array([1.0, 2.0, 2.5]), np.array([[2.0, 1.0, 3.0, 2.0]]), np.zeros(3, dtype=np.int64))
    assert share.tolist() == [0.0, 0.25, 0.75]


def test_a_probability_of_any_odds_is_between_zero_and_one_without_overflow() -> None:
    assert probability(np.array([-1e4, 0.0, 1e4])) == pytest.approx([0.0, 0.5, 1.0], abs=1e-300)
