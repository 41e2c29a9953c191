"""Reading ``.npz``: headers are checked before arrays are made, so that memory is bounded by the size of the file."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from unlearnbench.audit.columns import Array, Columns
from unlearnbench.core.errors import UserError
from unlearnbench.core.messages import brief

ALWAYS_READ: Final = 64 * 2**20
"""Bytes that any archive may unpack to."""
MOST_EXPANSION: Final = 20
"""How many times its own size a larger archive may unpack to. Compression makes probabilities 1 to 5 times smaller."""

_HEADERS: Final = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_WRITTEN_BY_NUMPY: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_npz(file: Path) -> Columns:
    """Read all arrays; UserError where one is not of numbers or text, and where they are too large for the file."""
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        _check_sizes(file, members)
        arrays: dict[str, Array] = {}
        for member in members:
            name = member.filename.removesuffix(".npy")
            if name in arrays:
                raise UserError(f"has more than one array {brief(name)}", str(file))
            _check_header(file, archive, member)
            with archive.open(member) as content:
                arrays[name] = np.lib.format.read_array(content, allow_pickle=False)
    return Columns(file, {name: _as_objects(array) for name, array in arrays.items()})


def _check_sizes(file: Path, members: list[zipfile.ZipInfo]) -> None:
    size, unpacked = file.stat().st_size, sum(member.file_size for member in members)
    if unpacked > max(ALWAYS_READ, MOST_EXPANSION * size):
        raise UserError(
            f"unpacks from {size:,} to {unpacked:,} bytes, more than {MOST_EXPANSION} times as many; save it without "
            "compression, with numpy.savez",
            str(file),
        )


def _check_header(file: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Refuse an array of objects, which would have to be unpickled, and one of another size than its header says."""
    name = brief(member.filename.removesuffix(".npy"))
    if member.compress_type not in _WRITTEN_BY_NUMPY:
        raise UserError(f"{name} is compressed in a way that numpy does not write; use numpy.savez", str(file))
    with archive.open(member) as content:
        if not member.filename.endswith(".npy"):
            raise UserError(f"holds {name}, which is no array; save arrays by name with numpy.savez", str(file))
        shape, dtype = _header(content)
        held = member.file_size - content.tell()
    if dtype.kind not in "fiubcSU":
        raise UserError(
            f"{name} is an array of neither numbers nor text ({brief(str(dtype))}); convert it, for text by "
            "astype(str)",
            str(file),
        )
    if min(shape, default=0) < 0 or math.prod(shape) * max(dtype.itemsize, 1) != held:
        raise UserError(
            f"{name} is damaged: {dtype} of shape {brief(shape)} is not {held:,} bytes, which it has", str(file)
        )


def _header(content: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(content)
    if version not in _HEADERS:
        raise ValueError(f"version {version} of the array format is for structured arrays")
    shape, _, dtype = _HEADERS[version](content)
    return shape, dtype


def _as_objects(array: Array) -> Array:
    """Return an array of text as Python objects: as wide as each value, not as the longest."""
    if array.dtype.kind == "S":
        return np.array([value.decode() for value in array.ravel().tolist()], dtype=object).reshape(array.shape)
    return array.astype(object) if array.dtype.kind == "U" else array
