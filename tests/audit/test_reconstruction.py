"""Deleted records from the parameters of linear models: near 1 where retraining is exact, less by noise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.audit.reconstruction import Reconstruction, read_parameters, reconstruct
from unlearnbench.core.errors import UserError
from unlearnbench.stats import deleted_direction, logistic_hessian, ridge_hessian

Arrays = dict[str, Any]
Floats = NDArray[np.float64]
Save = Callable[..., Path]

N, D = 300, 6


def data(rng: np.random.Generator, n: int = N) -> tuple[Floats, Floats]:
    """Features with an intercept in the last column, and labels."""
    x = np.column_stack([rng.normal(size=(n, D - 1)) * [1, 2, 1, 0.5, 1], np.ones(n)])
    return x, (rng.random(n) < 1 / (1 + np.exp(-x @ np.linspace(-1, 1, D)))).astype(float)


def logistic(x: Floats, y: Floats) -> Floats:
    """The optimum by Newton's method; the intercept is not penalized."""
    theta, penalties = np.zeros(D), np.append(np.ones(D - 1), 0.0)
    for _ in range(30):
        gradient = x.T @ (1 / (1 + np.exp(-x @ theta)) - y) + penalties * theta
        theta -= np.linalg.solve(logistic_hessian(x, theta, 0.0) + np.diag(penalties), gradient)
    return theta


def squared(x: Floats, y: Floats) -> Floats:
    return np.asarray(np.linalg.solve(ridge_hessian(x, 0.0) + np.diag(np.append(np.ones(D - 1), 0.0)), x.T @ y))


def case(fit: Callable[[Floats, Floats], Floats] = logistic, together: int = 1, originals: int = 6) -> Arrays:
    """Three deletions, each of so many records at once, from each of several originals."""
    rng = np.random.default_rng(0)
    before, after, deleted = [], [], []
    for _ in range(originals):
        x, y = data(rng)
        whole = fit(x, y)
        for first in range(3):
            gone = np.arange(first * together, (first + 1) * together)
            before.append(whole)
            after.append(fit(np.delete(x, gone, 0), np.delete(y, gone)))
            deleted.append(x[gone[0]])
    sample = data(rng, 2 * N)[0]
    arrays = {"before": before, "after": after, "deleted": deleted, "sample": sample, "records": N - together}
    return {name: np.array(values) for name, values in arrays.items()}


@pytest.fixture
def found(npz: Save) -> Callable[..., Reconstruction]:
    def found(arrays: Arrays, loss: Any = "logistic") -> Reconstruction:
        return reconstruct(read_parameters(npz(arrays)), loss, 1.0)

    return found


Found = Callable[..., Reconstruction]


@pytest.mark.parametrize(("loss", "fit"), [("logistic", logistic), ("squared", squared)])
def test_exact_retraining_without_one_record_reveals_it(loss: str, fit: Any, found: Found) -> None:
    result = found(case(fit), loss)
    assert float(result.cosine.low or 0) > 0.95 > 0.8 > float(result.baseline.high or 1)
    assert result.by_original
    assert result.unchanged == 0


def test_with_the_retained_records_as_sample_ridge_regression_is_exact(found: Found) -> None:
    rng = np.random.default_rng(3)
    x, y = data(rng)
    arrays = {"before": squared(x, y)[None], "after": squared(x[1:], y[1:])[None], "deleted": x[:1], "sample": x[1:]}
    assert found({**arrays, "records": N - 1}, "squared").cosines == pytest.approx([1.0], abs=1e-9)


def test_each_cosine_is_that_of_the_hessian_of_a_sample_as_large_as_the_training_set(found: Found) -> None:
    arrays = case()
    before, after, deleted, sample = (arrays[name] for name in ("before", "after", "deleted", "sample"))
    hessian = (N - 1) / len(sample) * logistic_hessian(sample, before[4], 0.0) + np.diag(np.append(np.ones(D - 1), 0))
    guess, truth = deleted_direction(before[4], after[4], hessian), deleted[4]
    result = found(arrays)
    assert result.cosines[4] == pytest.approx(abs(guess @ truth) / np.linalg.norm(truth), rel=1e-12)
    mean = sample.mean(axis=0)
    assert result.baselines[4] == pytest.approx(abs(mean @ truth) / np.linalg.norm(mean) / np.linalg.norm(truth))


def test_noise_on_the_parameters_lowers_it_to_that_of_a_random_direction(found: Found) -> None:
    arrays = case()
    noise = np.random.default_rng(1).normal(size=arrays["after"].shape)
    values = [float(found({**arrays, "after": arrays["after"] + s * noise}).cosine.value or 0) for s in (0, 0.01, 10)]
    assert values == sorted(values, reverse=True)
    assert values[2] < 0.6


def test_several_records_at_once_hide_each_other(found: Found) -> None:
    values = [float(found(case(together=k)).cosine.value or 0) for k in (1, 5, 20)]
    assert values == sorted(values, reverse=True)
    assert values[2] < values[0] - 0.3


def test_parameters_that_did_not_change_reveal_nothing_and_are_counted(found: Found) -> None:
    arrays = case()
    arrays["after"][:2] = arrays["before"][:2]
    result = found(arrays)
    assert (result.cosines[:2].tolist(), result.unchanged) == ([0.0, 0.0], 2)


def test_a_sample_that_knows_nothing_of_what_changed_shows_nothing(npz: Save) -> None:
    arrays = case()
    given = read_parameters(npz({**arrays, "sample": np.zeros_like(arrays["sample"])}))
    assert not reconstruct(given, "logistic", 0.0).cosines.any()


@pytest.mark.parametrize("loss", ["logistic", "squared"])
def test_large_parameters_give_numbers(loss: str, found: Found) -> None:
    arrays = {name: values if name == "records" else 1e30 * np.sign(values) for name, values in case().items()}
    assert np.isfinite(found(arrays, loss).cosines).all()


def test_of_few_originals_the_deletions_are_the_sample(found: Found) -> None:
    result = found(case(originals=2))
    assert not result.by_original
    assert result.cosine.details["clusters"] == 6


def changed(name: str, value: Any) -> Callable[[Arrays], Arrays]:
    return lambda arrays: {**arrays, name: value(arrays[name])}


def with_value(row: int, value: float) -> Callable[[Floats], Floats]:
    def change(matrix: Floats) -> Floats:
        matrix = matrix.copy()
        matrix[row] = value
        return matrix

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            changed("after", lambda a: a[1:]),
            "after has shape (17, 6), and before (18, 6); give one row for each deletion",
        ),
        (changed("deleted", lambda a: a[:, 1:]), "deleted has shape (18, 5), and before (18, 6)"),
        (changed("sample", lambda a: a[:, 1:]), "sample has 5 features, and before 6 parameters; give one for each"),
        (
            changed("before", lambda a: a[0]),
            "before is float64 of shape (6,); it must be numbers (deletions, features)",
        ),
        (
            changed("sample", lambda a: a[:0]),
            "sample is float64 of shape (0, 6); it must be numbers (records, features)",
        ),
        (changed("after", lambda a: a.astype(str)), "after is object of shape (18, 6); it must be numbers (deletions"),
        (changed("after", with_value(2, np.nan)), "row 2: after is nan at feature 0; give numbers up to 1e+30"),
        (changed("sample", with_value(1, -2e30)), "row 1: sample is -2e+30 at feature 0; give numbers up to 1e+30"),
        (changed("deleted", with_value(3, 0.0)), "row 3: deleted is 0 in all features, which has no direction"),
        (changed("records", lambda _: 0), "records must be one whole number above 0"),
        (changed("records", lambda _: 2.5), "records must be one whole number above 0"),
        (changed("records", lambda _: [1, 2]), "records must be one whole number above 0"),
        (lambda arrays: {**arrays, "befor": 1}, "has 'befor', which is not a known column"),
        (lambda arrays: {k: v for k, v in arrays.items() if k != "sample"}, "lacks sample; it needs sample"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(change: Callable[[Arrays], Arrays], told: str, npz: Save) -> None:
    with pytest.raises(UserError) as caught:
        read_parameters(npz(change(case())))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "parameters.csv").write_text("before_0,after_0\n1,2\n")
    with pytest.raises(UserError, match=r"must be \.npz: arrays before, after, deleted, sample and records"):
        read_parameters(tmp_path / "parameters.csv")
