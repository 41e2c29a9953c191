from __future__ import annotations

import gzip
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.builtin.datasets.images import drawn, read_idx
from unlearnbench.core.errors import UserError


def idx(array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], kind: int = 8) -> io.BytesIO:
    header = bytes([0, 0, kind, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return io.BytesIO(gzip.compress(header + array.tobytes()))


def test_an_idx_file_becomes_its_array_again() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)
    np.testing.assert_array_equal(read_idx(idx(array)), array)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0",
        b"\0\0\x09\x01\0\0\0\x01\0",  # signed bytes
        b"\0\0\x08\x01\0\0\0\x02\0",  # a byte too few
        b"\0\0\x08\x01\0\0\0\x01\0\0",  # a byte too many
    ],
)
def test_other_content_is_refused(content: bytes) -> None:
    with pytest.raises(UserError, match="is not an idx file of bytes"):
        read_idx(io.BytesIO(gzip.compress(content)))


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 300))
def test_a_draw_has_the_requested_size_and_is_part_of_every_larger_one(n: int, one: int, other: int) -> None:
    small, large = (drawn(n, size) for size in sorted((one, other)))
    assert len(small) == min(n, one, other)
    assert set(small) <= set(large) <= set(range(n))
    assert (np.diff(large) > 0).all()


def test_without_a_size_all_rows_are_drawn() -> None:
    np.testing.assert_array_equal(drawn(5, None), np.arange(5))


def test_the_draw_is_the_same_on_every_machine_and_favours_no_part_of_the_file() -> None:
    rows = drawn(70_000, 10_000)
    assert rows[:5].tolist() == [6, 18, 21, 26, 27]
    counts = np.bincount(rows // 7_000)
    assert (abs(counts - 1000) < 5 * np.sqrt(1000 * 6 / 7)).all()
