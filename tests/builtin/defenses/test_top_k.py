from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from unlearnbench.builtin.defenses.top_k import TopK
from unlearnbench.core.defenses import ReleaseDefense, ReleaseKeys

NOBODY = np.zeros(1, dtype=np.int64)
KEYS = ReleaseKeys(0, NOBODY, NOBODY, NOBODY, NOBODY)


def test_the_rest_of_the_mass_is_spread_evenly(
    release: Callable[[ReleaseDefense, ArrayLike], NDArray[np.float64]],
) -> None:
    out = release(TopK(2), [[0.5, 0.05, 0.15, 0.3], [0.25, 0.3, 0.05, 0.4]])
    assert out == pytest.approx(np.array([[0.5, 0.1, 0.1, 0.3], [0.15, 0.3, 0.15, 0.4]]))


def test_of_tied_classes_the_lowest_is_kept(
    release: Callable[[ReleaseDefense, ArrayLike], NDArray[np.float64]],
) -> None:
    assert release(TopK(1), [[0.2, 0.4, 0.4]]) == pytest.approx(np.array([[0.3, 0.4, 0.3]]))


def test_a_certain_row_stays_certain(release: Callable[[ReleaseDefense, ArrayLike], NDArray[np.float64]]) -> None:
    assert release(TopK(1), [[0.0, 1.0, 0.0]]) == pytest.approx(np.array([[0.0, 1.0, 0.0]]), abs=1e-40)


@pytest.mark.parametrize("n_classes", range(3, 30))
def test_rounding_lifts_no_class_above_those_that_were_kept(n_classes: int) -> None:
    log_posteriors = np.log(np.full((1, n_classes), 1 / n_classes))
    assert TopK(1).release(log_posteriors, KEYS).argmax() == 0


@given(n_classes=st.integers(2, 8), data=st.data())
def test_with_all_classes_or_all_but_one_nothing_is_hidden(n_classes: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(n_classes - 1, n_classes + 3))
    log_posteriors = np.log(np.random.default_rng(n_classes).dirichlet(np.ones(n_classes), size=500))
    assert np.array_equal(TopK(k).release(log_posteriors, KEYS), log_posteriors)


def test_on_two_classes_it_hides_nothing() -> None:
    log_posteriors = np.log([[0.9, 0.1], [0.5, 0.5]])
    assert np.array_equal(TopK(1).release(log_posteriors, KEYS), log_posteriors)


def test_what_is_kept_is_kept_to_the_bit_and_the_rest_has_one_value() -> None:
    log_posteriors = np.log(np.random.default_rng(0).dirichlet(np.ones(6), size=20))
    out = TopK(3).release(log_posteriors, KEYS)
    for row, before in zip(out, log_posteriors, strict=True):
        top = sorted(range(6), key=lambda c: -before[c])
        assert all(row[c] == before[c] for c in top[:3])
        assert len({row[c] for c in top[3:]}) == 1
