from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearnbench.engine.mlp.layout import (
    aligned,
    initial_layers,
    layout_of,
    network_of,
    padded_rows,
    unpack,
    widths_of,
)

widths = st.lists(st.integers(1, 50), min_size=2, max_size=5)


@given(widths, st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_layers_come_back_as_they_went_in(widths: list[int], seed: int) -> None:
    layers = initial_layers(widths, seed)
    network = network_of(layers)
    for there, back in zip(layers, unpack(*network), strict=True):
        assert np.array_equal(there[0], back[0])
        assert np.array_equal(there[1], back[1])
    assert widths_of(layers) == widths
    true = sum(w.size + b.size for w, b in layers)
    assert np.count_nonzero(network.parameters) <= true, "padding must be 0"


@given(widths)
def test_layers_lie_behind_one_another_at_multiples_of_16(widths: list[int]) -> None:
    net = layout_of(widths)
    assert (net.bias + net.stride[1:]).tolist() == [*net.weight[1:].tolist(), net.size]
    assert all(array % 16 == 0 for array in (*net.weight, *net.bias, net.size, *net.stride, *net.unit))
    assert (net.tiled >= net.width).all()
    assert (net.stride >= net.tiled).all()


def test_rows_are_filled_up_with_zeros() -> None:
    x = np.random.default_rng(0).normal(size=(5, 18))
    rows = padded_rows(x).reshape(5, 32)
    assert np.array_equal(rows[:, :18], x.astype(np.float32))
    assert not rows[:, 18:].any()


@pytest.mark.parametrize("size", [1, 16, 1000])
def test_arrays_begin_with_a_cache_line(size: int) -> None:
    assert aligned(size).ctypes.data % 64 == 0
    assert aligned(size).shape == (size,)


def test_initial_layers_are_raw_philox_words_in_the_order_of_torchs_parameters() -> None:
    words = np.random.Philox(5).random_raw(2 * 4 + 2 + 2 + 1) >> np.uint64(11)
    numbers = np.concatenate([part.ravel() for layer in initial_layers((4, 2, 1), 5) for part in layer])
    bounds = np.repeat([0.5, 2**-0.5], [10, 3])
    np.testing.assert_allclose(numbers, (words * 2.0**-52 - 1) * bounds, rtol=1e-6)


def test_seeds_draw_other_layers() -> None:
    assert not np.array_equal(initial_layers((4, 2), 1)[0][0], initial_layers((4, 2), 2)[0][0])
