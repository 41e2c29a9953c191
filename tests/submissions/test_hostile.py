"""Submissions made to do harm: each is refused with findings; nothing of it is run, nothing is written anywhere."""

from __future__ import annotations

import io
import json
import lzma
import os
import pickle
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fuzzing import TIMES
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


def scores(copy: Copy) -> int:
    """Return the number of an array that is read."""
    return int(copy.data["benches"][0]["cells"][0]["scores"])


def npy(array: NDArray[Any], **options: bool) -> bytes:
    content = io.BytesIO()
    np.save(content, array, **options)
    return content.getvalue()


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


@pytest.mark.parametrize("name", ["submission.json", "arrays.npy.xz"])
def test_a_link_is_not_followed(copy: Copy, tmp_path: Path, name: str) -> None:
    real = tmp_path / f"real-{name}"
    (copy.folder / name).rename(real)
    (copy.folder / name).symlink_to(real)
    (line,) = copy.found()
    assert line == f"{name}: is a link, or no regular file; put the file itself there; links are not followed"
    (copy.folder / name).unlink()
    real.unlink()


def test_a_folder_that_is_a_link_is_not_followed(copy: Copy) -> None:
    link = copy.folder.with_name("link")
    link.symlink_to(copy.folder)
    copy.folder = link
    (line,) = copy.found()
    assert "is not a folder of its own" in line


def test_a_pipe_is_not_waited_for(copy: Copy) -> None:
    copy.arrays.unlink()
    os.mkfifo(copy.arrays)
    (line,) = copy.found()
    assert line.startswith("arrays.npy.xz: is a link, or no regular file")


def test_thousands_of_files_are_refused_without_looking_at_them(copy: Copy) -> None:
    for number in range(3000):
        (copy.folder / f"{number}.txt").touch()
    found = copy.found()
    assert 0 < len(found) <= 20
    assert all(line.endswith("leave only submission.json and arrays.npy.xz there") for line in found)


def test_other_files_and_folders_are_refused_by_name(copy: Copy) -> None:
    (copy.folder / "setup.py").write_text("raise SystemExit")
    (copy.folder / "a\x1b[2Jb").mkdir()
    found = copy.found()
    assert [line.partition(":")[0] for line in found] == ["a\\x1b[2Jb", "setup.py"]


def test_a_missing_file_is_told(copy: Copy) -> None:
    copy.arrays.unlink()
    (line,) = copy.found()
    assert re.match(r"arrays\.npy\.xz: is not here: \d+ bytes with sha256 [0-9a-f]{64}; check with --arrays", line)


@pytest.mark.parametrize("name", ["submission.json", "arrays.npy.xz"])
def test_a_file_that_is_too_big_is_refused_unread(copy: Copy, name: str) -> None:
    with (copy.folder / name).open("r+b") as file:
        file.truncate(200 * 2**20)  # a hole: it takes no room
    (line,) = copy.found()
    assert re.match(rf"{name}: has 209715200 bytes, at most \d+ may be", line)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"schema": NaN}',
        '{"schema": Infinity}',
        '{"schema": 1, "schema": 1}',
        "[" * 10**5,
        '{"a":' * 10**5,
        "1" * 10**5,
        "\xff",
    ],
    ids=range(10),
)
def test_metadata_that_are_not_plain_json_are_refused(copy: Copy, text: str) -> None:
    copy.document.write_bytes(text.encode("latin-1"))
    (line,) = copy.found()
    assert line.startswith("submission.json: is not ")


def set_(*path: str | int) -> Callable[[object], Callable[[Any], None]]:
    def to(value: object) -> Callable[[Any], None]:
        def change(data: Any) -> None:
            for step in path[:-1]:
                data = data[step]
            data[path[-1]] = value

        return change

    return to


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (set_("name")("<script>alert(1)</script>"), "submission.json:name: Value error, must be up to 100 letters"),
        (set_("author")("x\x1b[2J"), "submission.json:author: Value error, must be up to 100 letters"),
        (set_("author")("e\u0301"), "submission.json:author: Value error, must be in composed letters"),
        (set_("environment", "python")("<img src=x onerror=alert(1)>"), "submission.json:environment.python: String"),
        (set_("environment", "<b>")("3.11"), "submission.json:environment."),
        (
            set_("environment")({"python": "3.11"}),
            "submission.json:environment: Value error, must tell system, processor",
        ),
        (set_("environment", "x" * 41)("3.11"), "String should have at most 40 characters"),
        (set_("environment", "python")("x" * 201), "environment.python: String should have at most 200 characters"),
        (set_("environment", "python")("3\u202e11"), "environment.python: String should match pattern"),
        (
            set_("environment")({f"k{n}": "" for n in range(900_000)}),
            "environment: Dictionary should have at most 40 items",
        ),
        (
            set_("plugins", 0, "declares")({f"k{n}": "" for n in range(41)}),
            "declares: Dictionary should have at most 40",
        ),
        (set_("plugins", 0, "declares", "x")([""] * 41), "List should have at most 40 items"),
        (
            set_("estimates", 0, "details")({f"k{n}": 0.5 for n in range(41)}),
            "details: Dictionary should have at most 40",
        ),
        (set_("schema")(2), "submission.json: its schema 2 is not the one that this version reads, 3"),
        (set_("schema")(True), "submission.json:schema: Input should be a valid integer"),
        (set_("extra")(1), "submission.json:extra: Extra inputs are not permitted"),
        (set_("arrays")(10**9), "submission.json:arrays: Input should be less than"),
        (set_("benches", 0, "cells", 0, "scores")(-1), "cells.0.scores: Input should be greater than or equal to 0"),
        (set_("benches", 0, "cells", 0, "scores")("0"), "cells.0.scores: Input should be a valid integer"),
        (set_("benches", 0, "device")("/dev/sda"), "benches.0.device: Input should be 'cpu', 'cuda' or 'mps'"),
        (set_("benches", 0, "model")("x" * 2000), "benches.0.model: String should have at most 1000 characters"),
        (set_("estimates")([{}] * 200_001), "submission.json:estimates: List should have at most 200000 items"),
        (set_("plugins")([{}] * 1001), "submission.json:plugins: List should have at most 1000 items"),
        (set_("benches")([1]), "submission.json:benches.0: Input should be"),
        (set_("estimates", 0, "value")("high"), "submission.json:estimates.0.value: Input should be a valid number"),
        (set_("arrays_address")("file:///etc/passwd"), "submission.json:arrays_address: String should match"),
        (set_("arrays_address")("https://x/<b>"), "submission.json:arrays_address: String should match"),
        (set_("arrays_bytes")(-1), "submission.json:arrays_bytes: Input should be greater"),
        (
            set_("shared")({"entry": "../x", "arrays": 1, "arrays_sha256": "0" * 64}),
            "submission.json:shared.entry: String",
        ),
        (set_("arrays_sha256")("../../etc/passwd"), "submission.json:arrays_sha256: String should match"),
        (set_("cost", "train_seconds")(-1.0), "submission.json:cost.train_seconds: Input should be greater"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_metadata_of_another_form_are_refused(copy: Copy, change: Callable[[Any], None], found: str) -> None:
    data = copy.data
    change(data)
    copy.document.write_text(json.dumps(data))
    assert any(found in line for line in copy.found())


def test_a_number_too_large_for_a_float_is_refused(copy: Copy) -> None:
    copy.document.write_text(re.sub(r'"low": ?0\.\d+', '"low": 1e999', copy.document.read_text(), count=1))
    assert any("low: Input should be a finite number" in line for line in copy.found())


@pytest.mark.parametrize("value", ['"\\ud800"', "1e999"])
def test_what_has_no_digest_is_refused(copy: Copy, value: str) -> None:
    copy.document.write_text(copy.document.read_text().replace('"suite":"small"', f'"suite":"small","x":{value}', 1))
    (line,) = copy.found()
    assert "holds what no suite holds, and has no digest" in line


def test_a_suite_whose_name_is_a_path_is_found_and_read_from_nowhere(copy: Copy) -> None:
    found = copy.forge(lambda data: data["suite"].update(suite="../../../../etc/passwd"))
    assert any("is not 'small' of small.yaml" in line for line in found)


def test_a_bench_repeated_a_thousand_times_is_measured_once(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    from unlearnbench.submissions import remeasure

    calls: list[int] = []
    real = remeasure.Remeasurer.derive

    def derive(*given: Any) -> Any:
        calls.append(1)
        return real(*given)

    monkeypatch.setattr(remeasure.Remeasurer, "derive", derive)
    copy.forge(lambda data: data["benches"].extend([data["benches"][0]] * 1000))
    assert len(calls) == len(copy.data["benches"]) - 1000
