from __future__ import annotations

import typing
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from unlearnbench.builtin.attacks import attack_models
from unlearnbench.builtin.attacks.attack_models import AttackModel, fit_attack_model, fit_classes

MODELS = typing.get_args(AttackModel)


def problem(seed: int, n: int = 200, shift: float = 2.0) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Two normal clouds in three dimensions, ``shift`` apart in the first."""
    rng = np.random.default_rng(seed)
    deleted = rng.permutation(n) % 2 == 0
    x = rng.normal(size=(n, 3))
    x[:, 0] += shift * deleted
    return x, deleted


def fitted_on(
    name: AttackModel, rows: tuple[NDArray[np.float64], NDArray[np.bool_]]
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    return fit_attack_model(name, *rows, rng=rng())


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_finds_a_signal_and_gives_probabilities(name: AttackModel) -> None:
    probability = fitted_on(name, problem(0))
    x, deleted = problem(1)
    scores = probability(x)
    assert scores.shape == (200,)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert roc_auc_score(deleted, scores) > 0.8  # two normals two standard deviations apart: .92 at best


def three_clouds(seed: int, n: int = 240) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Three normal clouds in two dimensions, and the number of each row's cloud."""
    rng = np.random.default_rng(seed)
    number = rng.permutation(n) % 3
    return rng.normal(size=(n, 2)) + np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])[number], number


@pytest.mark.parametrize("name", MODELS)
def test_probabilities_of_three_classes_are_those_of_the_library_and_of_one_row(name: AttackModel) -> None:
    x, number = three_clouds(0)
    rows, _ = three_clouds(1, 30)
    found = fit_classes(name, x, number, 3, rng())
    estimator = attack_models._estimator(name, int(rng().integers(2**31)), number)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = estimator.fit(x, number).predict_proba(rows)
    np.testing.assert_allclose(found(rows), expected, rtol=1e-9, atol=1e-12)
    alone = np.concatenate([found(row[None]) for row in rows])
    assert found(rows).tobytes() == alone.tobytes()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("missing", range(3))
def test_a_class_without_rows_has_the_probability_0(name: AttackModel, missing: int) -> None:
    x, number = three_clouds(0)
    kept = number != missing
    found = fit_classes(name, x[kept], number[kept], 3, rng())(x)
    assert not found[:, missing].any()
    np.testing.assert_allclose(found.sum(axis=1), 1)


@pytest.mark.parametrize("name", MODELS)
def test_with_rows_of_one_class_only_all_classes_have_the_same_probability(name: AttackModel) -> None:
    found = fit_classes(name, np.arange(8.0)[:, None], np.full(8, 2), 3, rng())
    assert found(np.ones((2, 1))).tolist() == [[1 / 3] * 3] * 2


@pytest.mark.parametrize("name", MODELS)
def test_every_model_finds_nothing_in_noise(name: AttackModel) -> None:
    probability = fitted_on(name, problem(0, n=400, shift=0.0))
    x, deleted = problem(1, n=2000, shift=0.0)
    assert roc_auc_score(deleted, probability(x)) == pytest.approx(0.5, abs=0.05)  # standard error .013


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("value", [True, False])
def test_shadow_rows_of_one_kind_only_give_one_half(name: AttackModel, value: bool) -> None:
    probability = fit_attack_model(name, np.arange(8.0)[:, None], np.full(8, value), rng())
    assert probability(np.ones((3, 1))).tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("name", MODELS)
def test_no_shadow_rows_give_one_half(name: AttackModel) -> None:
    probability = fit_attack_model(name, np.empty((0, 2)), np.empty(0, dtype=bool), rng())
    assert probability(np.ones((1, 2))).tolist() == [0.5]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("n", [2, 3, 10, 40])
def test_few_rows_are_enough_to_answer(name: AttackModel, n: int) -> None:
    deleted = np.arange(n) % 2 == 0
    probability = fit_attack_model(name, np.arange(float(n))[:, None], deleted, rng())
    assert np.isfinite(probability(np.array([[0.0], [1e6]]))).all()


@pytest.mark.parametrize("name", MODELS)
def test_a_single_row_of_a_kind_is_enough_to_answer(name: AttackModel) -> None:
    probability = fit_attack_model(name, np.arange(50.0)[:, None], np.arange(50) == 3, rng())
    assert np.isfinite(probability(np.arange(50.0)[:, None])).all()


@pytest.mark.parametrize("name", MODELS)
def test_a_constant_feature_tells_nothing_apart(name: AttackModel, capfd: pytest.CaptureFixture[str]) -> None:
    x, deleted = np.full((60, 2), 0.25), np.arange(60) % 2 == 0
    scores = fit_attack_model(name, x, deleted, rng())(np.array([[0.25, 0.25], [0.25, 0.25]]))
    assert scores[0] == scores[1]
    assert scores[0] == pytest.approx(0.5, abs=0.15)  # a forest's bags and an MLP's held-out rows are not balanced
    assert capfd.readouterr() == ("", "")  # LightGBM likes to talk about such data


@pytest.mark.parametrize("name", MODELS)
def test_features_as_small_as_the_floor_are_safe(name: AttackModel) -> None:
    deleted = np.arange(60) % 2 == 0
    x = np.where(deleted, 1e-45, 0.0)[:, None]
    assert np.isfinite(fit_attack_model(name, x, deleted, rng())(np.array([[0.0], [1e-45], [0.5], [-0.5]]))).all()


@pytest.mark.parametrize("name", MODELS)
def test_the_same_generator_gives_the_same_model(name: AttackModel) -> None:
    x, deleted = problem(0, n=120)
    first, second = (fit_attack_model(name, x, deleted, rng())(x) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("name", ["random-forest", "mlp"])
def test_another_generator_gives_another_model(name: AttackModel) -> None:
    x, deleted = problem(0, n=120)
    first, second = (fit_attack_model(name, x, deleted, np.random.default_rng(seed))(x) for seed in (1, 2))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("name", MODELS)
def test_a_row_scores_the_same_alone_and_in_a_batch(name: AttackModel) -> None:
    rows, deleted = problem(0)
    wide = np.random.default_rng(0).normal(size=(3, 37))
    probability = fit_attack_model(name, rows @ wide, deleted, rng())
    x = problem(1, n=70)[0] @ wide
    alone = np.concatenate([probability(row[None]) for row in x])
    assert alone.tobytes() == probability(x).tobytes()
    assert probability(x[::-1][:33]).tobytes() == alone[::-1][:33].tobytes()


@pytest.mark.parametrize("name", ["logistic-regression", "mlp"])
def test_models_that_feel_scale_are_standardized_on_the_shadow_rows(name: AttackModel) -> None:
    x, deleted = problem(0)
    usual = fit_attack_model(name, x, deleted, rng())
    tiny = fit_attack_model(name, x / 1024, deleted, rng())  # a power of two, so that no digit is lost
    assert tiny(x[:5] / 1024) == pytest.approx(usual(x[:5]), rel=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_nothing_to_score_gives_no_scores(name: AttackModel) -> None:
    assert fitted_on(name, problem(0))(np.empty((0, 3))).shape == (0,)


def test_the_decision_tree_has_ten_leaves_as_published() -> None:
    rng = np.random.default_rng(0)
    x, deleted = rng.normal(size=(500, 4)), rng.random(500) < 0.5
    scores = fit_attack_model("decision-tree", x, deleted, rng)(x)
    assert 2 < len(np.unique(scores)) <= 10


@pytest.mark.parametrize("name", MODELS)
def test_asking_without_ceremony_gives_the_values_of_predict_proba(
    name: AttackModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    make = attack_models._estimator

    def recorded(*arguments: Any) -> Any:
        made.append(make(*arguments))
        return made[0]

    monkeypatch.setattr(attack_models, "_estimator", recorded)
    probability = fitted_on(name, problem(0))
    for n in (1, 2, 70):
        x, _ = problem(1, n=n)
        expected = made[0].predict_proba(x)[:, 1]
        if name in ("logistic-regression", "mlp"):  # a matrix product, whose last bits depend on the number of rows
            assert probability(x) == pytest.approx(expected, rel=1e-12)
        else:
            assert probability(x).tobytes() == expected.tobytes()
