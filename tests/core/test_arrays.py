"""Arrays that plug-ins share are read-only, and numbers are converted only where none changes."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from unlearnbench.core.arrays import InexactError, ReadOnlyArrays, exact, read_only

OWNER = np.arange(6.0)


@dataclass(frozen=True)
class Shared(ReadOnlyArrays):
    values: NDArray[Any]
    word: str = "not an array"


def writable(array: NDArray[Any]) -> bool:
    """Say whether the memory of an array can be written to by itself or by what it is a view of."""
    base: object = array.base
    return array.flags.writeable or (isinstance(base, np.ndarray) and writable(base))


@pytest.mark.parametrize(
    "made",
    [
        lambda x: x,
        lambda x: x[::2],
        lambda x: x.reshape(2, 3),
        lambda x: x.reshape(2, 3).T[1:],
        lambda x: read_only(x)[1:],
        lambda x: np.frombuffer(bytearray(x.tobytes())),
        lambda x: np.frombuffer(x.tobytes()),
    ],
)
def test_nobody_can_write_into_a_shared_array(made: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
    given = made(OWNER.copy())
    shared = Shared(given).values
    assert not writable(shared)
    np.testing.assert_array_equal(shared, made(OWNER.copy()))
    with pytest.raises(ValueError, match="read-only"):
        shared[...] = 0


def test_an_array_that_owns_its_memory_is_not_copied() -> None:
    mine = OWNER.copy()
    assert Shared(mine).values is mine


def test_a_view_of_memory_that_nobody_writes_to_is_not_copied() -> None:
    part = read_only(OWNER.copy())[1:3]
    assert Shared(part).values is part


def test_a_view_whose_memory_others_write_to_is_copied() -> None:
    mine = OWNER.copy()
    shared = Shared(mine[:3]).values
    mine[:] = 9
    assert shared.tolist() == [0, 1, 2]


def test_arrays_stay_read_only_in_copies_that_were_pickled() -> None:
    assert not writable(pickle.loads(pickle.dumps(Shared(OWNER.copy()))).values)  # noqa: S301 - our own bytes


NUMBERS = arrays.arrays(
    st.one_of(arrays.integer_dtypes(), arrays.unsigned_integer_dtypes(), arrays.floating_dtypes(), st.just(np.bool_)),
    st.integers(0, 5),
)


@given(NUMBERS, st.sampled_from([np.int64, np.float64, np.int8]))
def test_converted_numbers_are_the_numbers_that_were_given(values: NDArray[Any], dtype: type) -> None:
    try:
        converted = exact(values, dtype)
    except InexactError:
        with np.errstate(invalid="ignore", over="ignore"):
            assert any(_python(v) != _python(c) for v, c in zip(values, values.astype(dtype), strict=True))
        return
    assert converted.dtype == dtype
    assert [*map(_python, converted)] == [*map(_python, values)]


def _python(number: Any) -> int | float | str:
    """Return a number as Python has it, which compares integers and fractions exactly; nan is equal to itself."""
    plain: int | float = number.item()
    return "nan" if plain != plain else plain


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (np.array([0.5, 1.0]), "0.5 is no int64"),
        (np.array([1.0, np.nan]), "nan is no int64"),
        (np.array([2**63], dtype=np.uint64), f"{2**63} is no int64"),
        (np.array([1, 2], dtype=object), "type is object; convert them by"),
        (np.array(["1"]), "type is <U1"),
        (np.array([1 + 0j]), "type is complex128"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "type is datetime64"),
        (np.ma.array([1, 2], mask=[True, False]), "some are masked"),
    ],
)
def test_what_would_change_is_refused(values: object, problem: str) -> None:
    with pytest.raises(InexactError, match=problem):
        exact(values, np.int64)
