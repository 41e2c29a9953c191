"""Synthetic games of the conformance kit, with the sizes of these tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.testing.samples import SampleRows, game, game_of


@pytest.fixture(scope="session")
def make_rows() -> Callable[..., SampleRows]:
    """Return a maker of rows with given posteriors (n, C), not logarithms, and one unlearned version."""

    def make(
        before: NDArray[np.float64], after: NDArray[np.float64], label: NDArray[np.int64] | None = None
    ) -> SampleRows:
        n = len(before)
        return game_of(before, after, np.zeros(n, dtype=np.int64) if label is None else label, np.arange(n) % 2 == 0)

    return make


@pytest.fixture(scope="session")
def make_game() -> Callable[..., SampleRows]:
    def make(seed: int, n: int = 400, n_classes: int = 4, leak: float = 1.0) -> SampleRows:
        return game(n, n_classes, seed=seed, leak=leak)

    return make
