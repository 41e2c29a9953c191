"""Arrays that several plug-ins share: nobody can write into them, and their numbers are of the type that they say."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


class ReadOnlyArrays:
    """A base of dataclasses whose arrays are handed to plug-ins: no array of theirs can be written into.

    An array that owns its memory is made read-only itself. A view of memory that others can write to is copied.
    """

    def __post_init__(self) -> None:
        self._make_read_only()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a copy or what was pickled; numpy does not keep the flag."""
        vars(self).update(state)
        self._make_read_only()

    def _make_read_only(self) -> None:
        own = vars(self)  # the dataclasses are frozen
        for name, value in own.items():
            if isinstance(value, np.ndarray):
                own[name] = read_only(value)


def read_only(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return these numbers as an array that cannot be written into, neither itself nor by its ``base``."""
    if _shares_writable(array):
        array = array.copy()
    array.flags.writeable = False
    return array


def _shares_writable(array: NDArray[Any]) -> bool:
    """Return whether the memory belongs to something else that may write into it."""
    base: object = array.base
    if isinstance(base, np.ndarray):
        return base.flags.writeable or _shares_writable(base)
    return base is not None and array.flags.writeable


class InexactError(ValueError):
    """Values are no numbers, or not numbers of the type that they must be."""


def exact(values: object, dtype: DTypeLike) -> NDArray[Any]:
    """Return numbers as an array of a type: the same array where it is that already.

    InexactError where they are no real numbers (objects, texts, complex or masked ones), or where one would change.
    """
    given = np.asarray(values)
    if np.ma.is_masked(values):
        raise InexactError("some are masked; fill them or leave them out")
    if given.dtype == dtype:
        return given
    wanted = np.dtype(dtype)
    if given.dtype.kind not in "biuf":
        raise InexactError(f"their type is {given.dtype}; convert them by .astype(np.{wanted})")
    with np.errstate(invalid="ignore", over="ignore"):  # what overflows is found below
        converted = given.astype(wanted)
        same = (converted == given) & (converted.astype(given.dtype) == given)
    if wanted.kind == "f":
        same |= np.isnan(given)
    if not same.all():
        raise InexactError(f"{given[~same].flat[0]} is no {wanted}")
    return converted
