"""KLOM equals the authors' numbers and a plain loop."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from unlearnbench.stats.klom import klom

A = np.arange(40)
P, Q = 3 * np.sin(0.9 * A) + 0.5 * np.cos(2.3 * A), 2.5 * np.sin(1.1 * A + 0.4) + 0.7


@pytest.mark.parametrize(
    ("first", "second", "known"),
    [(P, Q, 2.0812042713283767), (Q, P, 0.8381245922092165), (P, P, 0.0)],
    ids=["p-q", "q-p", "p-p"],
)
def test_known_answers(first: NDArray[np.float64], second: NDArray[np.float64], known: float) -> None:
    assert klom(first[None], second[None]) == pytest.approx([known], rel=1e-12, abs=1e-12)


def plain(p: list[float], q: list[float]) -> float:
    low, high = min(p + q), max(p + q)
    edges = [float(edge) for edge in np.linspace(low, high, 21)]
    counted = [[x for x in sample if x < high] or [edges[19]] for sample in (p, q)]
    shares = [
        [sum(left <= x < right for x in sample) / len(sample) for sample in counted] for left, right in pairwise(edges)
    ]
    raised = [(a, max(b, 1e-5) if a else b) for a, b in shares]
    total = sum(b for _, b in raised)
    return float(sum(a * np.log(a / (b / total)) for a, b in raised if a))


@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.floats(0.1, 10))
def test_it_equals_a_plain_loop(seed: int, models: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    first, second = scale * rng.normal(size=(3, models)), scale * rng.normal(size=(3, models + 1)) + 1
    expected = [plain(p.tolist(), q.tolist()) for p, q in zip(first, second, strict=True)]
    assert klom(first, second) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_disjoint_samples_differ_by_the_floor() -> None:
    assert klom([[0.0, 0.0]], [[1.0, 2.0]]) == pytest.approx([np.log((1 + 1e-5) / 1e-5)], rel=1e-12)


def test_margins_beyond_a_hundred_are_a_hundred() -> None:
    assert klom([[-1e6, 0.0, 1e6]], [[-100.0, 0.0, 100.0]]) == pytest.approx([0.0], abs=1e-12)


@pytest.mark.parametrize("constant", [[[5.0, 5.0]], [[-5.0, -5.0]]])
def test_a_model_that_always_gives_the_largest_margin_is_no_good_one(constant: list[list[float]]) -> None:
    """The authors' code counts no margin of it and finds no divergence."""
    assert klom(constant, [[0.0, 1.0]])[0] > 5
    assert klom(constant, constant) == pytest.approx([0.0], abs=1e-12)
