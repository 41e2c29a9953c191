from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from unlearnbench.builtin.defenses.temperature import Temperature
from unlearnbench.core.defenses import ReleaseDefense, ReleaseKeys

NOBODY = np.zeros(1, dtype=np.int64)
KEYS = ReleaseKeys(0, NOBODY, NOBODY, NOBODY, NOBODY)


def test_two_takes_square_roots(release: Callable[[ReleaseDefense, ArrayLike], NDArray[np.float64]]) -> None:
    # sqrt(.64) : sqrt(.36) = .8 : .6
    assert release(Temperature(2.0), [[0.64, 0.36]]) == pytest.approx(np.array([[8 / 14, 6 / 14]]))


def test_one_changes_nothing(release: Callable[[ReleaseDefense, ArrayLike], NDArray[np.float64]]) -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(5), size=10)
    assert release(Temperature(1.0), p) == pytest.approx(p)


def test_a_high_temperature_is_uniform(release: Callable[[ReleaseDefense, ArrayLike], NDArray[np.float64]]) -> None:
    assert release(Temperature(1e9), [[0.9, 0.09, 0.01]]) == pytest.approx(np.full((1, 3), 1 / 3))


@given(temperature=st.floats(0.2, 20))
def test_it_is_the_normalized_power_of_the_posteriors(temperature: float) -> None:
    log_posteriors = np.log(np.random.default_rng(1).dirichlet(np.ones(4), size=8))
    scaled = log_posteriors / temperature
    expected = scaled - logsumexp(scaled, axis=1, keepdims=True)
    assert Temperature(temperature).release(log_posteriors, KEYS) == pytest.approx(expected)


@given(st.floats(1.01, 20))
def test_above_one_every_row_is_less_sure(temperature: float) -> None:
    log_posteriors = np.log([[0.7, 0.2, 0.1], [0.4, 0.35, 0.25]])
    out = Temperature(temperature).release(log_posteriors, KEYS)
    assert (out.max(axis=1) < log_posteriors.max(axis=1)).all()
