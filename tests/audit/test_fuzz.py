"""Thousands of hostile files: each is read or told in one line, in little memory, and none runs code."""

from __future__ import annotations

import io
import pickle
import struct
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fuzzing import TIMES
from unlearnbench.audit.answers import read_answers
from unlearnbench.core.errors import UserError

Make = Callable[..., dict[str, Any]]
Random = np.random.Generator
FILES = 1000 * TIMES
"""Of each kind."""
BYTES = 10 * 2**20
"""Memory that reading may take beyond what the file's own size explains; the files have a few thousand bytes."""

DTYPES = ["<f8", ">f4", "|O", "<U7", "<U999999999", "|S3", "<M8[s]", "|V8", "<c16", "|b1", "<i8", "[('a', '|O')]", "x"]
CELLS = [
    "",
    "nan",
    "inf",
    "-1",
    "1e999",
    "0,5",
    "x" * 99_999,
    '"',
    "\x00",
    "\N{SNOWMAN}",
    "1_0",
    "true",
    "None",
    "=1+1",
]


class Trap:
    """An object whose unpickling raises a flag."""

    sprung = False

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return spring, ()


def spring() -> None:
    Trap.sprung = True


def npy_header(shape: object, dtype: object, order: object, version: int) -> bytes:
    text = f"{{'descr': {dtype!r}, 'fortran_order': {order!r}, 'shape': {shape!r}}}\n".encode()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text


def member(rng: Random) -> bytes:
    """Return an array whose header and content need not agree."""
    sizes = [0, 1, 2, 3, 150, -1, 2**31, 2**63, 10**30]
    shape = tuple(int(sizes[index]) for index in rng.integers(len(sizes), size=rng.integers(4)))
    content = (b"", bytes(2400), pickle.dumps([Trap()] * 3), rng.bytes(99))[rng.integers(4)]
    version = int(rng.choice([1, 2, 3, 9]))
    return npy_header(shape, DTYPES[rng.integers(len(DTYPES))], bool(rng.integers(2)), version) + content


def zipped(members: dict[str, bytes], rng: Random) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED][rng.integers(2)]) as archive:
        for name, its in members.items():
            archive.writestr(name, its)
    return content.getvalue()


def mutated(whole: bytes, rng: Random) -> bytes:
    """Return the file with some bytes replaced, removed or repeated."""
    data = bytearray(whole)
    for _ in range(rng.integers(1, 6)):
        at, many = int(rng.integers(len(data))), int(rng.integers(1, 40))
        match rng.integers(3):
            case 0:
                data[at : at + many] = rng.bytes(many)
            case 1:
                del data[at : at + many]
            case 2:
                data[at:at] = data[max(0, at - many) : at]
    return bytes(data)


def damaged_archives(arrays: dict[str, Any], rng: Random) -> Iterator[bytes]:
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    while True:
        yield mutated(content.getvalue(), rng)


def lying_archives(arrays: dict[str, Any], rng: Random) -> Iterator[bytes]:
    """Sound archives, one or more arrays of which are not what they say."""
    sound = {}
    for name, array in arrays.items():
        content = io.BytesIO()
        np.save(content, array)
        sound[f"{name}.npy"] = content.getvalue()
    while True:
        names = rng.choice(list(sound), size=rng.integers(1, 4))
        yield zipped({**sound, **{str(name): member(rng) for name in names}}, rng)


def bombs(arrays: dict[str, Any], rng: Random) -> Iterator[bytes]:
    """Archives of a few hundred thousand bytes that unpack to hundreds of millions."""
    zeros = bytes(2 * 10**8)
    rows = len(arrays["role"])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("before.npy", npy_header((rows, len(zeros) // 8 // rows), "<f8", False, 1) + zeros)
    while True:
        yield content.getvalue() if rng.random() < 0.02 else mutated(content.getvalue(), rng)


def damaged_tables(text: bytes, rng: Random) -> Iterator[bytes]:
    while True:
        yield mutated(text, rng)


def odd_tables(text: bytes, rng: Random) -> Iterator[bytes]:
    """Tables with odd cells, other separators, other line ends and other encodings."""
    rows = [line.split(",") for line in text.decode().splitlines()]
    encodings, ends, separators = ["utf-8", "utf-8-sig", "utf-16"], ["\n", "\r\n", "\r"], [",", ",", ",", ";", "\t"]
    while True:
        made = [list(row) for row in rows[: rng.integers(len(rows))]] or [[]]
        for _ in range(rng.integers(4)):
            row = made[rng.integers(len(made))]
            row[rng.integers(len(row) + 1) : rng.integers(len(row) + 1)] = [CELLS[rng.integers(len(CELLS))]]
        end, separator = ends[rng.integers(3)], separators[rng.integers(5)]
        yield end.join(separator.join(row) for row in made).encode(encodings[rng.integers(3)])


def outcome(file: Path) -> str:
    """Read the file; return how it went. Anything but answers or a :class:`UserError` of one line fails the test."""
    try:
        read_answers(file)
    except UserError as error:
        told = str(error).removeprefix(f"{file}: ")
        assert len(told) <= 300, told[:1000]
        assert "\n" not in told
        return "refused"
    return "read"


def try_all(files: Iterator[bytes], file: Path, kind: str) -> Counter[str]:
    """Read :data:`FILES` files; print and return how often they were read or refused."""
    counts: Counter[str] = Counter()
    most = 0
    for _, content in zip(range(FILES), files, strict=False):
        file.write_bytes(content)
        tracemalloc.start()
        counts[outcome(file)] += 1
        beyond = tracemalloc.get_traced_memory()[1] - 20 * len(content)
        tracemalloc.stop()
        most = max(most, beyond)
        assert beyond < BYTES, f"{len(content):,} bytes took {beyond:,} more than 20 times as many"
    print(f"{kind}: {dict(counts)} of {FILES}, at most {most:,} bytes beyond 20 times the file")  # noqa: T201 - the counts are what a fuzz test finds
    assert not Trap.sprung
    return counts


def as_text(arrays: dict[str, Any]) -> bytes:
    columns: list[NDArray[Any]] = [arrays["role"], arrays["label"], *arrays["before"].T, *arrays["after"].T]
    names = ["role", "label", *(f"{matrix}_{number}" for matrix in ("before", "after") for number in range(3))]
    lines = [",".join(names), *(",".join(map(str, row)) for row in zip(*columns, strict=True))]
    return "\n".join(lines).encode()


@pytest.mark.parametrize("kind", [damaged_archives, lying_archives])
def test_hostile_archives(kind: Callable[..., Iterator[bytes]], arrays: Make, tmp_path: Path) -> None:
    counts = try_all(kind(arrays(), np.random.default_rng(0)), tmp_path / "a.npz", kind.__name__)
    assert counts["refused"] > 0.8 * FILES


def test_bombs(arrays: Make, tmp_path: Path) -> None:
    assert try_all(bombs(arrays(), np.random.default_rng(1)), tmp_path / "a.npz", "bombs") == {"refused": FILES}


@pytest.mark.parametrize("kind", [damaged_tables, odd_tables])
def test_hostile_tables(kind: Callable[..., Iterator[bytes]], arrays: Make, tmp_path: Path) -> None:
    counts = try_all(kind(as_text(arrays()), np.random.default_rng(2)), tmp_path / "a.csv", kind.__name__)
    assert counts["refused"] > 0.5 * FILES


def test_one_long_cell_makes_no_other_longer(arrays: Make, tmp_path: Path) -> None:
    given = arrays(unseen=14_000)
    given["record"] = np.arange(len(given["role"])).astype(object)
    given["record"][5] = "x" * 131_000
    names = ["role", "record", *(f"{matrix}_{number}" for matrix in ("before", "after") for number in range(3))]
    columns = [given["role"], given["record"], *given["before"].T.round(3), *given["after"].T.round(3)]
    text = "\n".join([",".join(names), *(",".join(map(str, row)) for row in zip(*columns, strict=True))])
    (tmp_path / "a.csv").write_text(text)
    tracemalloc.start()
    assert outcome(tmp_path / "a.csv") == "read"
    assert tracemalloc.get_traced_memory()[1] < 20 * len(text)
    tracemalloc.stop()


def test_the_trap_is_one() -> None:
    pickle.loads(pickle.dumps(Trap()))  # noqa: S301 - the test's own object
    assert Trap.sprung
    Trap.sprung = False
