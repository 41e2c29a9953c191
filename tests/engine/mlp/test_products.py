from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearnbench.engine import jit

if not jit.usable():
    pytest.skip("numba has no wheel for this platform", allow_module_level=True)

from unlearnbench.engine.mlp.products import product, transpose
from unlearnbench.engine.mlp.simd import register

register()


@given(
    st.integers(1, 5),
    st.integers(0, 40),
    st.integers(1, 5),
    st.integers(0, 2),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=60)
def test_the_product_is_numpys_whichever_way_its_left_side_lies(
    tiles: int, terms: int, strips: int, spare: int, transposed: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = 4 * tiles, 16 * strips
    stride = columns + 16 * spare
    a = rng.normal(size=(rows, terms)).astype("f4")
    b = rng.normal(size=(terms, stride)).astype("f4")
    c = np.full((rows, stride), 7, "f4")
    lying = np.append(np.zeros(3, "f4"), np.ascontiguousarray(a.T if transposed else a).ravel())
    row, step = (1, rows) if transposed else (terms, 1)
    flat = c.ravel()
    product(lying, 3, row, step, terms, b.ravel(), 0, flat, 0, stride, rows, columns)
    c = flat.reshape(rows, stride)
    np.testing.assert_allclose(c[:, :columns], a.astype("f8") @ b[:, :columns], atol=1e-4)
    assert (c[:, columns:] == 7).all()


def test_a_column_is_the_same_bits_wherever_it_stands_and_whatever_stands_beside_it() -> None:
    rng = np.random.default_rng(1)
    a, column = rng.normal(size=(4, 50)).astype("f4"), rng.normal(size=50).astype("f4")

    def answer(columns: int, at: int) -> bytes:
        b = rng.normal(size=(50, columns)).astype("f4")
        b[:, at] = column
        c = np.zeros(4 * columns, "f4")
        product(a.ravel(), 0, 50, 1, 50, b.ravel(), 0, c, 0, columns, 4, columns)
        return c.reshape(4, columns)[:, at].tobytes()

    assert len({answer(columns, at) for columns, at in [(16, 0), (16, 15), (32, 9), (48, 40), (64, 63)]}) == 1


def test_the_transpose_is_the_transpose() -> None:
    a, b = np.arange(32 * 20, dtype="f4"), np.zeros(12 * 32 + 1, "f4")
    transpose(a, 0, 20, 32, 12, b, 1)
    assert np.array_equal(b[1:].reshape(12, 32), a.reshape(32, 20)[:, :12].T)
