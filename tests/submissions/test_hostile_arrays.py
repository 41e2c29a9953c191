"""Arrays made to do harm: each is refused with findings, nothing of it is unpickled, and memory stays bounded."""

from __future__ import annotations

import lzma
import pickle
import re
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fuzzing import TIMES
from tests.submissions.forging import npy, scores
from unlearnbench.submissions import arrays

if TYPE_CHECKING:
    from tests.submissions.conftest import Copy

pytestmark = pytest.mark.usefixtures("untouched")


class Payload:
    """Unpickled, it leaves a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.target,)


def test_a_pickled_array_is_refused_and_never_unpickled(copy: Copy, tmp_path: Path) -> None:
    victim = tmp_path / "pwned"
    content = npy(np.array([Payload(victim)], dtype=object), allow_pickle=True)
    found = copy.forge_member(scores(copy), content)
    assert any("not a .npy array of format 1.0" in line for line in found)
    assert not victim.exists()


def test_a_pickle_that_calls_itself_an_array_is_refused(copy: Copy, tmp_path: Path) -> None:
    victim = tmp_path / "pwned"
    found = copy.forge_member(scores(copy), pickle.dumps(Payload(victim)))
    assert any("not a .npy array of format 1.0" in line for line in found)
    assert not victim.exists()


def test_a_pickle_in_the_place_of_the_metadata_is_refused(copy: Copy, tmp_path: Path) -> None:
    victim = tmp_path / "pwned"
    copy.document.write_bytes(pickle.dumps(Payload(victim)))
    (line,) = copy.found()
    assert line.startswith("submission.json: is not plain JSON")
    assert not victim.exists()


def test_a_huge_header_is_refused_before_it_is_parsed(copy: Copy) -> None:
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (" + b"1, " * 15000 + b"), }\n"
    found = copy.forge_member(scores(copy), b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
    assert any(f"its header is {len(text)} bytes long, at most 256 may be" in line for line in found)


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (__import__('os').getpid(),), }\n",
        "{'descr': '<f8', 'fortran_order': True, 'shape': (5,), }\n",
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (5,), }\n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (5,), 'x': 1}\n",
        "\n",
    ],
)
def test_a_header_that_is_not_that_of_plain_numbers_is_refused(copy: Copy, text: str) -> None:
    found = copy.forge_member(scores(copy), b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode())
    assert any("its header is not that of an array of numbers" in line for line in found)


def test_a_shape_that_numpy_cannot_read_is_refused(copy: Copy) -> None:
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (5,,), }\n"
    found = copy.forge_member(scores(copy), b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
    assert any("its header cannot be read (ValueError" in line for line in found)


def test_a_shape_of_a_billion_rows_is_refused_before_any_memory_is_taken(copy: Copy) -> None:
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000,), }\n"
    found = copy.forge_member(scores(copy), b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
    assert any("unpacks to more than 1073741824 bytes" in line for line in found)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(copy: Copy, bad: float) -> None:
    def change(numbers: NDArray[Any]) -> NDArray[Any]:
        numbers[0] = bad
        return numbers

    assert any("holds 1 non-finite number" in line for line in copy.forge_array(scores(copy), change))


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<i8", "|S8", "<c16", "<M8[s]"])
def test_another_kind_of_number_is_refused(copy: Copy, dtype: str) -> None:
    (array,) = [copy.load()[scores(copy)]]
    found = copy.forge_member(scores(copy), npy(np.zeros(array.shape, dtype)))
    assert any(", and must be float64" in line for line in found)


def test_another_shape_is_refused(copy: Copy) -> None:
    found = copy.forge_array(scores(copy), lambda numbers: numbers[:-1])
    assert any("by the suite" in line for line in found)


@pytest.mark.parametrize(
    ("row", "value", "what"),
    [
        (0, 1.5, "an accuracy or a calibration error of what is released is outside [0, 1]"),
        (1, -0.1, "a log loss of what is released is negative"),
        (2, -0.1, "an accuracy or a calibration error of what is released is outside [0, 1]"),
    ],
)
def test_an_impossible_utility_of_what_is_released_is_found(copy: Copy, row: int, value: float, what: str) -> None:
    def change(numbers: np.ndarray) -> np.ndarray:
        numbers[row, 0] = value
        return numbers

    found = copy.forge_array(copy.data["benches"][0]["cells"][0]["released"], change)
    assert any(what in line for line in found)


def test_a_boolean_that_is_neither_is_refused(copy: Copy) -> None:
    number = copy.data["benches"][0]["cells"][0]["unchanged"]
    content = bytearray(npy(copy.load()[number]))
    content[-1] = 7
    assert any("neither 0 nor 1" in line for line in copy.forge_member(number, bytes(content)))


def test_more_bytes_than_the_header_says_are_refused(copy: Copy) -> None:
    number = scores(copy)
    found = copy.forge_member(number, npy(copy.load()[number]) + b"#!/bin/sh")
    assert any(f"array {number + 1}: not a .npy array of format 1.0" in line for line in found)


def test_a_bomb_is_unpacked_no_further_than_may_be(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "MOST_UNPACKED", 10**6)
    (line,) = copy.forge_member(0, npy(np.zeros(10**7)))
    assert "arrays.npy.xz: unpacks to more than 1000000 bytes" in line
    assert copy.arrays.stat().st_size < 10**6


def test_bytes_that_no_header_tells_of_are_not_unpacked(copy: Copy) -> None:
    packed = lzma.compress(b"".join(map(npy, copy.load())) + bytes(50 * 2**20))
    (line,) = copy.forge_file(packed)
    assert re.search(r"arrays\.npy\.xz: is cut off, or holds more than \d+ arrays", line)


def test_a_dictionary_that_takes_all_memory_is_refused(copy: Copy) -> None:
    way = {"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 2**28}
    (line,) = copy.forge_file(lzma.compress(b"x", filters=[way]))
    assert "cannot be unpacked (LZMAError: Memory usage limit exceeded)" in line


def test_another_compression_is_refused(copy: Copy) -> None:
    plain = b"".join(map(npy, copy.load()))
    for packed in (lzma.compress(plain, lzma.FORMAT_ALONE), zlib.compress(plain), plain):
        (line,) = copy.forge_file(packed)
        assert "cannot be unpacked (LZMAError: Input format not supported" in line


@pytest.mark.parametrize("more", [b"x", b"<script>alert(1)</script>", lzma.compress(b"more")])
def test_bytes_before_and_after_the_stream_are_refused(copy: Copy, more: bytes) -> None:
    packed = copy.arrays.read_bytes()
    (line,) = copy.forge_file(packed + more)
    assert "is cut off, or holds more than" in line
    assert copy.forge_file(more + packed)


@pytest.mark.parametrize("left", [0, 1, 30, 1000, -1])
def test_a_file_that_is_cut_off_is_refused(copy: Copy, left: int) -> None:
    (line,) = copy.forge_file(copy.arrays.read_bytes()[:left])
    assert line.startswith("arrays.npy.xz")


def test_an_array_that_no_cell_names_is_found(copy: Copy) -> None:
    copy.write([*copy.load(), np.zeros(3)])
    (line,) = copy.forge(lambda data: data.update(arrays=data["arrays"] + 1))
    assert "arrays.npy.xz: 1 array of no cell" in line


@pytest.mark.parametrize("content", [b"\xfd7zXZ\x00", b"no archive at all, whatever it is called" * 3])
def test_what_is_no_archive_is_refused(copy: Copy, content: bytes) -> None:
    (line,) = copy.forge_file(content)
    assert line.startswith("arrays.npy.xz")


@pytest.mark.parametrize("seed", range(20 * TIMES))
def test_an_archive_with_random_faults_gives_findings_and_no_traceback(copy: Copy, seed: int) -> None:
    rng = np.random.default_rng(seed)
    packed = bytearray(copy.arrays.read_bytes())
    for place in rng.integers(0, len(packed), 200):
        packed[place] = rng.integers(256)
    copy.arrays.write_bytes(packed)
    assert copy.forge(lambda data: None)
