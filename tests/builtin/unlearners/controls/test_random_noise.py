from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from unlearnbench.builtin.unlearners.controls.random_noise import NoisyAnswers, RandomNoise
from unlearnbench.core.models import TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath

if TYPE_CHECKING:
    from tests.builtin.unlearners.conftest import Spy


REQUESTS = [Request((Step(np.array([3])), Step(np.array([4])))), Request((Step(np.array([5])),))]


class Known:
    """Answers with fixed log-posteriors, row by row."""

    def __init__(self, n_classes: int = 3) -> None:
        self.row = np.log(np.arange(1, n_classes + 1) / np.arange(1, n_classes + 1).sum())

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.tile(self.row, (len(x), 1))


def serve(sigma: float, model: TargetModel, data: TrainingSet) -> Any:
    method = RandomNoise(sigma)
    state = method.prepare(Original(model, data, SeedPath(0) / "train"))
    return state, [version for chain in method.serve_all(state, REQUESTS, SeedPath(0) / "serve") for version in chain]


def test_every_version_has_noise_of_its_own(spy: type[Spy], data: TrainingSet) -> None:
    original, versions = serve(0.1, spy(), data)
    shown = [model.fitted.log_posteriors(data.x) for model in (original, *versions)]
    assert len({answers.tobytes() for answers in shown}) == 4


@given(st.permutations(range(12)), st.integers(0, 2**32))
def test_a_record_meets_the_same_noise_in_any_batch(order: list[int], seed: int) -> None:
    x = np.arange(24.0).reshape(12, 2)
    noisy = NoisyAnswers(Known(), 0.5, seed)
    assert np.array_equal(noisy.log_posteriors(x[order]), noisy.log_posteriors(x)[order])
    assert np.array_equal(noisy.log_posteriors(x[order[:1]])[0], noisy.log_posteriors(x)[order[0]])


def test_records_and_classes_meet_different_noise() -> None:
    x = np.arange(50.0)[:, None]
    moved = NoisyAnswers(Known(), 0.5, 1).log_posteriors(x) - Known().log_posteriors(x)
    assert len(set(moved.ravel().tolist())) == moved.size


def test_the_noise_is_normal_with_the_deviation_asked_for() -> None:
    from scipy import stats

    x = np.arange(20_000.0)[:, None]
    shown = NoisyAnswers(Known(2), 0.3, 1).log_posteriors(x)
    exact = Known(2).log_posteriors(x)
    gap = (shown[:, 1] - shown[:, 0]) - (exact[:, 1] - exact[:, 0])  # normalizing leaves differences of logs alone
    assert stats.kstest(gap, "norm", args=(0, 0.3 * np.sqrt(2))).pvalue > 1e-3


@pytest.mark.parametrize("sigma", [0.0, 0.1, 30.0])
def test_answers_stay_posteriors(spy: type[Spy], data: TrainingSet, sigma: float) -> None:
    _, versions = serve(sigma, spy(), data)
    for version in versions:
        shown = version.fitted.log_posteriors(data.records.x)
        assert np.isfinite(shown).all()
        np.testing.assert_allclose(np.exp(shown).sum(axis=1), 1)


def test_without_deviation_the_answers_are_the_originals(spy: type[Spy], data: TrainingSet) -> None:
    original, versions = serve(0.0, spy(), data)
    exact = original.fitted.log_posteriors(data.records.x)
    for version in versions:
        np.testing.assert_allclose(version.fitted.log_posteriors(data.records.x), exact, rtol=0, atol=1e-14)


def test_noise_does_not_pile_up_along_a_chain(spy: type[Spy], data: TrainingSet) -> None:
    original, (first, second, _) = serve(0.1, spy(), data)
    assert first.fitted.fitted is second.fitted.fitted is original.fitted
