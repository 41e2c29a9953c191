from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from unlearnbench.engine.logistic.direction import Directions
from unlearnbench.engine.logistic.newton import Newton, inverse
from unlearnbench.engine.logistic.objective import Objective, basis
from unlearnbench.engine.logistic.solve import Solved, SolvedBase

NONE = np.empty(0, dtype=np.int64)
TOL = 1e-10


def problem(n: int = 120, d: int = 3, n_classes: int = 3, seed: int = 0) -> Objective:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    return Objective.of(rng.normal(size=(n_classes, d))[labels] + rng.normal(size=(n, d)), labels, n_classes)


def penalty_of(objective: Objective, c: float = 1.0) -> NDArray[np.float64]:
    return np.append(np.full(len(objective.rows) - 1, 1 / c), 0.0)


def base_of(objective: Objective, c: float = 1.0, tol: float = TOL, max_steps: int = 400) -> SolvedBase:
    start = np.zeros((objective.n_classes - 1, len(objective.rows)))
    return SolvedBase.of(objective, penalty_of(objective, c), start, tol, max_steps)


def without(base: SolvedBase, removed: list[NDArray[np.int64]]) -> Solved:
    return base.without(removed, np.repeat(base.penalty[None], len(removed), axis=0))


def loss(
    objective: Objective, weights: NDArray[np.float64], kept: Iterable[int], penalty: NDArray[np.float64]
) -> float:
    """Write the objective down once more, record by record."""
    total = 0.5 * (weights**2 * penalty).sum()
    for i in kept:
        logits = basis(objective.n_classes) @ weights @ objective.rows[:, i]
        total += np.log(np.exp(logits).sum()) - logits[objective.labels[i]]
    return float(total)


def slopes(
    function: Callable[[NDArray[np.float64]], float], at: NDArray[np.float64], step: float = 1e-5
) -> NDArray[np.float64]:
    """Differentiate by central differences."""
    out = np.empty(at.size)
    for i in range(at.size):
        e = step * (np.arange(at.size) == i).reshape(at.shape)
        out[i] = (function(at + e) - function(at - e)) / (2 * step)
    return out.reshape(at.shape)


@pytest.mark.parametrize("n_classes", [3, 4, 7])
def test_the_basis_of_many_classes_is_orthonormal_and_its_columns_sum_to_zero(n_classes: int) -> None:
    q = basis(n_classes)
    np.testing.assert_allclose(q.T @ q, np.eye(n_classes - 1), atol=1e-15)
    np.testing.assert_allclose(q.sum(axis=0), 0, atol=1e-15)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_the_gradient_is_the_slope_of_the_loss_and_the_hessian_that_of_the_gradient(n_classes: int) -> None:
    objective = problem(n=20, n_classes=n_classes)
    weights = np.random.default_rng(1).normal(size=(n_classes - 1, 4))
    removed, penalty = np.array([2, 5]), np.array([0.5, 1.0, 2.0, 0.0])
    kept = np.delete(np.arange(20), removed)

    def gradient(w: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(objective.gradient(w[None], removed[None], penalty[None])[0])

    np.testing.assert_allclose(
        gradient(weights), slopes(lambda w: loss(objective, w, kept, penalty), weights), atol=1e-7
    )

    def entry(i: int, w: NDArray[np.float64]) -> float:
        return float(gradient(w).ravel()[i])

    columns = [slopes(partial(entry, i), weights).ravel() for i in range(weights.size)]
    np.testing.assert_allclose(objective.hessian(weights, removed, penalty), columns, atol=1e-7)


def test_the_inverse_of_a_positive_definite_matrix_is_its_inverse() -> None:
    rows = np.random.default_rng(0).normal(size=(30, 8))
    h = rows.T @ rows
    np.testing.assert_allclose(inverse(h) @ h, np.eye(8), atol=1e-12)


@pytest.mark.parametrize("h", [np.ones((4, 4)), np.zeros((3, 3))])
def test_a_singular_matrix_gets_a_ridge_and_a_symmetric_finite_inverse(h: NDArray[np.float64]) -> None:
    found = inverse(h)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, found.T)


@pytest.mark.parametrize("c", [1e-6, 1e-4, 1.0, 1e4, 1e8])
def test_newtons_method_finds_the_optimum_of_separable_records_from_zero(c: float) -> None:
    x = np.linspace(-1, 1, 40)[:, None] * [1.0, 30.0]
    objective = Objective.of(x, (x[:, 0] > 0).astype(np.int64), 2)
    found = Newton(objective, NONE, penalty_of(objective, c)).solve(np.zeros((1, 3)), 1e-12, 400)
    assert found.gradient <= 1e-12
    assert np.abs(slopes(lambda w: loss(objective, w, range(40), penalty_of(objective, c)), found.weights)).max() < 1e-4


def test_directions_are_newtons_once_the_pairs_have_taught_the_whole_curvature() -> None:
    rng = np.random.default_rng(0)
    h = [a @ a.T + np.eye(3) for a in rng.normal(size=(2, 3, 3))]
    w = rng.normal(size=(2, 3))
    directions = Directions(np.eye(3) / 20, np.zeros((2, 3, 0)))
    for _ in range(25):  # quadratics: the gradient is h w, the optimum 0
        w = w - directions.next(np.stack([h[k] @ w[k] for k in range(2)]), np.ones(2, dtype=bool))
    np.testing.assert_allclose(w, 0, atol=1e-10)


@settings(deadline=None, max_examples=25)
@given(
    st.integers(2, 5),
    st.sampled_from([0.1, 1.0, 30.0]),
    st.lists(st.integers(0, 119), max_size=30, unique=True),
    st.integers(0, 5),
)
def test_any_few_records_left_out_give_the_optimum_of_the_others(
    n_classes: int, c: float, removed: list[int], seed: int
) -> None:
    objective = problem(n_classes=n_classes, seed=seed)
    solved = without(base_of(objective, c), [np.array(removed, dtype=np.int64)])
    kept = np.delete(np.arange(120), removed)
    others = Objective(objective.rows[:, kept], objective.labels[kept], n_classes)
    cold = Newton(others, NONE, penalty_of(objective, c)).solve(np.zeros_like(solved.weights[0]), TOL / 100, 400)
    assert solved.gradient[0] <= TOL / 50
    np.testing.assert_allclose(solved.weights[0], cold.weights, atol=1e-7)


def test_leaving_no_record_out_is_the_base_bit_for_bit() -> None:
    base = base_of(problem())
    np.testing.assert_array_equal(without(base, [NONE]).weights[0], base.optimum.weights)


def test_the_most_certain_record_leaves_a_trace_of_the_right_size() -> None:
    """First order: deleting record j moves the weights by H^-1 g_j, however small g_j is."""
    usual = problem(n=200, n_classes=2)
    rows, labels = usual.rows.copy(), usual.labels.copy()
    weights = base_of(usual).optimum.weights[0]
    rows[0, 0], labels[0] = 32 / weights[0], 1  # wrong once in e**32 times
    objective = Objective(rows, labels, 2)
    base = base_of(objective)
    moved = without(base, [np.array([0])]).weights[0] - base.optimum.weights
    g = objective.gradient(base.optimum.weights[None], NONE[None], base.penalty[None])[0]
    g0 = objective.gradient(base.optimum.weights[None], np.array([[0]]), base.penalty[None])[0] - g
    expected = -(inverse(objective.hessian(base.optimum.weights, np.array([0]), base.penalty)) @ (g0 + g).ravel())
    assert 0 < np.abs(g0).max() / 200 < TOL / 100
    np.testing.assert_allclose(moved.ravel(), expected, rtol=0.1)


def test_models_that_quasi_newton_steps_do_not_reach_are_left_to_newtons_method(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("unlearnbench.engine.logistic.solve._PATIENCE", 1)
    solved = without(base_of(problem()), [np.array([3]), np.arange(60)])
    assert (solved.gradient <= TOL / 100).all()


def test_an_optimum_that_is_not_reached_shows_in_the_gradient() -> None:
    assert base_of(problem(), max_steps=1).optimum.gradient > TOL
    assert base_of(problem(), tol=1e-30).optimum.gradient > 1e-30


@pytest.mark.parametrize(("d", "n_classes"), [(3, 2), (14, 2), (5, 3), (9, 10)])
@pytest.mark.parametrize("block", [2**18, 1500])
def test_a_model_is_the_same_bits_alone_in_any_batch_and_in_any_order(
    d: int, n_classes: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = base_of(problem(n=150, d=d, n_classes=n_classes))
    rng = np.random.default_rng(3)
    removed = [np.sort(rng.choice(150, size=1 + k % 4, replace=False)) for k in range(50)]
    alone = np.concatenate([without(base, [rows]).weights for rows in removed])
    monkeypatch.setattr("unlearnbench.engine.logistic.solve._BLOCK", block)
    order = rng.permutation(50)
    np.testing.assert_array_equal(without(base, removed).weights, alone)
    np.testing.assert_array_equal(without(base, removed[:3]).weights, alone[:3])
    np.testing.assert_array_equal(without(base, [removed[k] for k in order]).weights, alone[order])
