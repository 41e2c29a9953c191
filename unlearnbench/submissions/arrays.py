"""The arrays of a submission: one ``.npz``, each array in it once, written in one way only and read with suspicion.

Compressed, since scores of many cells are equal or take few values: raw they are ten times as large. So a reader must
not trust what the archive says of itself: it knows from the suite which arrays there are, of what kind and of what
shape, and unpacks not one byte more. Headers are matched before they are parsed, and ``numpy.load`` is never called.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from unlearnbench.submissions.findings import RefusedError, refuse

FILE: Final = "arrays.npz"
MOST_BYTES: Final = 95 * 2**20
"""Of the file; code hosts take no file above 100 MB."""
MOST_UNPACKED: Final = 2**30
"""Of all arrays together."""
PACK_AGAIN: Final = "pack the run again with leaderboard pack"

_DIRECTORY_END = struct.Struct("<4s4H2LH")
_ENTRY_BYTES = 64
"""An entry of the directory is 46 bytes and a name such as ``12345.npy``; nothing of ours is longer."""
_HEADER = re.compile(rb"\{'descr': '[^'\\]{2,8}', 'fortran_order': False, 'shape': \([0-9, ]{0,60}\), \} *\n")
_LONGEST_HEADER = 256

Array = NDArray[Any]


class ArrayPool:
    """Arrays to be written, equal ones once; an array is called by its number."""

    def __init__(self) -> None:
        self._indices: dict[str, int] = {}
        self._contents: list[bytes] = []

    def __len__(self) -> int:
        return len(self._contents)

    def add(self, array: Array) -> int:
        """Take an array of booleans, int64, float32 or float64; return its number."""
        plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        content = BytesIO()
        npy.write_array(content, plain, version=(1, 0), allow_pickle=False)
        key = hashlib.sha256(content.getvalue()).hexdigest()
        if key not in self._indices:
            self._indices[key] = len(self._contents)
            self._contents.append(content.getvalue())
        return self._indices[key]

    def packed(self) -> bytes:
        """Return the archive: the same bytes for the same arrays, by the same version of zlib."""
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for number, content in enumerate(self._contents):
                info = zipfile.ZipInfo(_name(number))  # of 1980: no time of today
                info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
                archive.writestr(info, content, compresslevel=9)
        return packed.getvalue()


class ArrayFile:
    """The arrays of a submission to be checked; raises :class:`RefusedError` for an archive that is not ours."""

    def __init__(self, content: bytes, count: int) -> None:
        _check_directory(content, count)
        try:
            self._archive = zipfile.ZipFile(BytesIO(content))
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise refuse(FILE, f"not a zip archive ({_described(error)})", PACK_AGAIN) from error
        self._members = _members(self._archive, count)
        self._read: dict[int, Array] = {}

    def read(self, number: int, dtype: type[np.generic], shape: tuple[int, ...]) -> Array:
        """Return an array, which must be of this type and shape and hold finite numbers only."""
        where = f"{FILE}/{_name(number)}"
        if number not in self._members:
            raise refuse(where, f"there is no such array, there are {len(self._members)}", PACK_AGAIN)
        if number not in self._read:
            self._read[number] = self._unpacked(self._members[number], np.dtype(dtype), shape)
        array = self._read[number]
        if array.dtype != dtype or array.shape != shape:
            raise _mismatch(where, array.dtype, array.shape, np.dtype(dtype), shape)
        return array

    def _unpacked(self, info: zipfile.ZipInfo, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
        where, size = f"{FILE}/{info.filename}", int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        try:
            with self._archive.open(info) as stream:
                found, found_shape = _header(stream.read(10), stream, where)
                if found != dtype or found_shape != shape:
                    raise _mismatch(where, found, found_shape, dtype, shape)
                content = stream.read(size)
                rest = stream.read(1)  # at the end the checksum is compared
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
            raise refuse(where, f"cannot be unpacked ({_described(error)})", PACK_AGAIN) from error
        if len(content) != size or rest:
            raise refuse(where, "holds more or less than its header says", PACK_AGAIN)
        return _sound(np.frombuffer(content, dtype).reshape(shape), where)


def _name(number: int) -> str:
    return f"{number}.npy"


def _check_directory(content: bytes, count: int) -> None:
    """Refuse an archive whose list of members has a wrong size, before anything reads that list."""
    end = content[-_DIRECTORY_END.size :]
    if len(end) < _DIRECTORY_END.size or not end.startswith(b"PK\x05\x06"):
        raise refuse(FILE, "not a zip archive, or one with a comment", PACK_AGAIN)
    _, disk, start_disk, on_disk, total, size, start, _ = _DIRECTORY_END.unpack(end)
    if disk or start_disk or on_disk != total or total != count or size > count * _ENTRY_BYTES:
        raise refuse(FILE, f"its directory of {size} bytes is not that of {count} arrays", PACK_AGAIN)
    if start + size + len(end) != len(content):
        raise refuse(FILE, "has bytes before or between its arrays and their directory", PACK_AGAIN)


def _members(archive: zipfile.ZipFile, count: int) -> Mapping[int, zipfile.ZipInfo]:
    infos = archive.infolist()
    if [info.filename for info in infos] != [_name(number) for number in range(count)]:
        raise refuse(FILE, f"its members are not called 0.npy to {_name(count - 1)}", PACK_AGAIN)
    for info in infos:
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
            raise refuse(f"{FILE}/{info.filename}", "is encrypted, or compressed in another way", PACK_AGAIN)
    unpacked = sum(info.file_size for info in infos)
    if unpacked > MOST_UNPACKED:
        raise refuse(FILE, f"unpacks to {unpacked} bytes, at most {MOST_UNPACKED} may be", "enter a smaller suite")
    return dict(enumerate(infos))


def _header(start: bytes, stream: Any, where: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Return type and shape from an array's header."""
    if len(start) < 10 or start[:8] != b"\x93NUMPY\x01\x00":
        raise refuse(where, "not a .npy array of format 1.0", PACK_AGAIN)
    length = int.from_bytes(start[8:], "little")
    if length > _LONGEST_HEADER:
        raise refuse(where, f"its header is {length} bytes long, at most {_LONGEST_HEADER} may be", PACK_AGAIN)
    text = stream.read(length)
    if len(text) != length or not _HEADER.fullmatch(text):
        raise refuse(where, "its header is not that of an array of numbers", PACK_AGAIN)
    shape, _, dtype = npy.read_array_header_1_0(BytesIO(start[8:] + text), max_header_size=_LONGEST_HEADER)
    return dtype, shape


def _sound(array: Array, where: str) -> Array:
    """Refuse numbers that are not finite, and booleans that are neither."""
    if array.dtype == np.bool_ and (array.view(np.uint8) > 1).any():
        raise refuse(where, "holds booleans that are neither 0 nor 1", PACK_AGAIN)
    if not np.isfinite(array).all():
        count = np.count_nonzero(~np.isfinite(array))
        raise refuse(where, f"{count} of its numbers are not finite", "an attack must give finite scores; run it again")
    return array


def _mismatch(
    where: str, found: object, found_shape: object, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> RefusedError:
    return refuse(where, f"is {found} {found_shape}, and must be {dtype} {shape} by the suite", PACK_AGAIN)


def _described(error: BaseException) -> str:
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text.isprintable() else type(error).__name__
