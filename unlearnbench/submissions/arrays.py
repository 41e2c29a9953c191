"""The arrays of a submission: one file, each array in it once, written in one way only and read with suspicion.

It is a sequence of ``.npy`` arrays as one xz stream, since scores of many cells are equal, alike, or take few values:
raw they are five times as large. ``numpy.load`` reads it array by array from ``lzma.open``. A checker does not: headers
are matched before they are parsed, and no more is unpacked than a submission may hold.

The numbers of arrays go on from those of the reference entry of its board, if it shares arrays with that.
"""

from __future__ import annotations

import hashlib
import lzma
import math
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from unlearnbench.core.messages import counted
from unlearnbench.submissions.findings import refuse

FILE: Final = "arrays.npy.xz"
MOST_UNPACKED: Final = 2**30
"""Of all arrays together."""
PACK_AGAIN: Final = "pack the run again with leaderboard pack"

_MOST_DICTIONARY: Final = 2**26
_MOST_MEMORY: Final = 2 * _MOST_DICTIONARY
"""Of unpacking, besides the arrays."""
_EIGHT_BYTES: Final = {"lc": 0, "lp": 3, "pb": 3}
"""Almost all numbers have eight bytes, each of which is alike to that of the number before: 5 % are saved."""
_HEADER = re.compile(rb"\{'descr': '[^'\\]{2,8}', 'fortran_order': False, 'shape': \([0-9, ]{0,60}\), \} *\n")
_LONGEST_HEADER = 256

Array = NDArray[Any]


class ArrayPool:
    """Arrays to be written, equal ones once; an array is called by its number.

    Those that the reference entry has, ``shared``, are not written: they are called by their numbers there.
    """

    def __init__(self, shared: ArrayFile | None = None) -> None:
        self._indices = {_key(content): number for number, content in enumerate(shared.contents() if shared else ())}
        self._contents: list[bytes] = []
        self._first = len(shared) if shared else 0

    def __len__(self) -> int:
        return len(self._contents)

    def add(self, array: Array) -> int:
        """Take an array of booleans, int64, float32 or float64; return its number."""
        content = _content(array)
        number = self._indices.setdefault(_key(content), self._first + len(self._contents))
        if number == self._first + len(self._contents):
            self._contents.append(content)
        return number

    def packed(self) -> bytes:
        """Return the file: the same bytes for the same arrays, by the same version of liblzma."""
        content = b"".join(self._contents)
        size = min(max(len(content), 2**12), _MOST_DICTIONARY)
        way = {"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": size, **_EIGHT_BYTES}
        return lzma.compress(content, lzma.FORMAT_XZ, filters=[way])


def _content(array: Array) -> bytes:
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    content = BytesIO()
    npy.write_array(content, plain, version=(1, 0), allow_pickle=False)
    return content.getvalue()


def _key(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


class _Unpacked(NamedTuple):
    """An array as the file has it: whether it is the right one is not known yet."""

    header: bytes
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    content: bytes

    @property
    def array(self) -> Array:
        """Read the array."""
        return np.frombuffer(self.content, self.dtype).reshape(self.shape)


class ArrayFile:
    """The arrays of a submission to be checked; raises :class:`RefusedError` for a file that is not ours."""

    def __init__(self, content: bytes, count: int, shared: ArrayFile | None = None) -> None:
        self._shared = shared
        self._first = len(shared) if shared else 0
        self._arrays = list(_unpacked(_Stream(content), self._first, count))

    def __len__(self) -> int:
        return self._first + len(self._arrays)

    def contents(self) -> Iterator[bytes]:
        """Yield its own arrays as they are written."""
        return (each.header + each.content for each in self._arrays)

    def read(self, number: int, dtype: type[np.generic], shape: tuple[int, ...]) -> Array:
        """Return an array, which must be of this type and shape and hold finite numbers only."""
        if self._shared is not None and number < self._first:
            return self._shared.read(number, dtype, shape)
        where = array_name(number)
        if number >= len(self):
            raise refuse(where, f"there is no such array, there are {len(self)}", PACK_AGAIN)
        found = self._arrays[number - self._first]
        if found.dtype != dtype or found.shape != shape:
            what = f"is {found.dtype} {found.shape}, and must be {np.dtype(dtype)} {shape} by the suite"
            raise refuse(where, what, PACK_AGAIN)
        return _sound(found.array, where)


class _Stream:
    """Unpacks as many bytes as are asked for, and of all no more than may be."""

    def __init__(self, content: bytes) -> None:
        self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, _MOST_MEMORY)
        self._content = content
        self._left = MOST_UNPACKED

    def read(self, size: int) -> bytes:
        """Return so many bytes, fewer at the end."""
        self._left -= size
        if self._left < 0:
            raise refuse(FILE, f"unpacks to more than {MOST_UNPACKED} bytes", "enter a smaller suite")
        found = bytearray()
        try:
            while len(found) < size and (part := self._next(size - len(found))):
                found += part
        except lzma.LZMAError as error:
            raise refuse(FILE, f"cannot be unpacked ({_described(error)})", PACK_AGAIN) from error
        return bytes(found)

    def _next(self, most: int) -> bytes:
        if self._decompressor.eof:
            return b""
        given, self._content = self._content, b""
        return self._decompressor.decompress(given, most)

    @property
    def is_whole(self) -> bool:
        """Whether all of it was read, its checksum is right, and nothing comes after it."""
        return not self.read(1) and self._decompressor.eof and not self._decompressor.unused_data


def _unpacked(stream: _Stream, first: int, count: int) -> Iterator[_Unpacked]:
    for number in range(first, first + count):
        where = array_name(number)
        header, dtype, shape = _header(stream, where)
        size = math.prod(shape) * dtype.itemsize
        content = stream.read(size)
        if len(content) != size:
            raise refuse(where, "ends before it should by its header", PACK_AGAIN)
        yield _Unpacked(header, dtype, shape, content)
    if not stream.is_whole:
        raise refuse(FILE, f"is cut off, or holds more than {counted(count, 'array')}", PACK_AGAIN)


def array_name(number: int) -> str:
    """Name an array in a finding."""
    return f"{FILE}, array {number}"


def _header(stream: _Stream, where: str) -> tuple[bytes, np.dtype[Any], tuple[int, ...]]:
    """Return an array's header, and type and shape from it."""
    start = stream.read(10)
    if len(start) < 10 or start[:8] != b"\x93NUMPY\x01\x00":
        raise refuse(where, "not a .npy array of format 1.0", PACK_AGAIN)
    length = int.from_bytes(start[8:], "little")
    if length > _LONGEST_HEADER:
        raise refuse(where, f"its header is {length} bytes long, at most {_LONGEST_HEADER} may be", PACK_AGAIN)
    text = stream.read(length)
    if len(text) != length or not _HEADER.fullmatch(text):
        raise refuse(where, "its header is not that of an array of numbers", PACK_AGAIN)
    try:
        shape, _, dtype = npy.read_array_header_1_0(BytesIO(start[8:] + text), max_header_size=_LONGEST_HEADER)
    except ValueError as error:
        raise refuse(where, f"its header cannot be read ({_described(error)})", PACK_AGAIN) from error
    return start + text, dtype, shape


def _sound(array: Array, where: str) -> Array:
    """Refuse numbers that are not finite, and booleans that are neither."""
    if array.dtype == np.bool_ and (array.view(np.uint8) > 1).any():
        raise refuse(where, "holds booleans that are neither 0 nor 1", PACK_AGAIN)
    if not np.isfinite(array).all():
        count = int(np.count_nonzero(~np.isfinite(array)))
        raise refuse(
            where, f"holds {counted(count, 'non-finite number')}", "an attack must give finite scores; run it again"
        )
    return array


def _described(error: BaseException) -> str:
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text.isprintable() else type(error).__name__
