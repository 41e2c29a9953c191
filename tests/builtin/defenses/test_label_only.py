from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from unlearnbench.builtin.defenses.label_only import LabelOnly
from unlearnbench.core.defenses import ReleaseDefense, ReleaseKeys
from unlearnbench.core.posteriors import FLOOR

NOBODY = np.zeros(1, dtype=np.int64)
KEYS = ReleaseKeys(0, NOBODY, NOBODY, NOBODY, NOBODY)


def test_only_the_predicted_class_is_left(release: Callable[[ReleaseDefense, ArrayLike], NDArray[np.float64]]) -> None:
    out = release(LabelOnly(), [[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]])
    assert out == pytest.approx(np.array([[0, 1, 0], [1, 0, 0]]), abs=1e-40)


def test_the_lowest_class_wins_a_tie(release: Callable[[ReleaseDefense, ArrayLike], NDArray[np.float64]]) -> None:
    assert release(LabelOnly(), [[0.2, 0.4, 0.4]]).argmax(axis=1).tolist() == [1]


def test_zero_is_the_floor_of_all_log_posteriors() -> None:
    out = LabelOnly().release(np.log([[0.3, 0.7]]), KEYS)
    assert out.tolist() == [[np.log(FLOOR), 0.0]]


def test_it_hides_every_change_that_keeps_the_prediction(
    release: Callable[[ReleaseDefense, ArrayLike], NDArray[np.float64]],
) -> None:
    assert np.array_equal(release(LabelOnly(), [[0.1, 0.9]]), release(LabelOnly(), [[0.49, 0.51]]))
