"""Submissions made to do harm: each is refused with findings; nothing of it is run, nothing is written anywhere."""

from __future__ import annotations

import io
import json
import os
import pickle
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fuzzing import TIMES
from unlearnbench.submissions import arrays, reading

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
    assert any(re.search(r"is object \(1,\), and must be float64", line) for line in found)
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
    assert any("cannot be unpacked" in line for line in found)


def test_a_shape_of_a_billion_rows_is_refused_before_any_memory_is_taken(copy: Copy) -> None:
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000,), }\n"
    found = copy.forge_member(scores(copy), b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
    assert any("is float64 (1000000000,), and must be float64 (" in line for line in found)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(copy: Copy, bad: float) -> None:
    def change(numbers: NDArray[Any]) -> NDArray[Any]:
        numbers[0] = bad
        return numbers

    assert any("1 of its numbers are not finite" in line for line in copy.forge_array(scores(copy), change))


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
    assert any("holds more or less than its header says" in line for line in found)


def test_a_zip_bomb_is_refused_by_what_it_says_of_itself(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "MOST_UNPACKED", 10**6)
    (line,) = copy.forge_member(0, bytes(10**7))
    assert re.search(r"arrays.npz: unpacks to \d+ bytes, at most 1000000 may be", line)
    assert copy.arrays.stat().st_size < 10**6


def test_a_zip_bomb_that_lies_about_its_size_is_not_unpacked(copy: Copy) -> None:
    with zipfile.ZipFile(copy.arrays) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
        honest = len(contents["0.npy"])
    contents["0.npy"] += bytes(50 * 2**20)
    packed = bytearray(_zipped(contents))
    _claim(packed, b"0.npy", honest)
    copy.arrays.write_bytes(packed)
    found = copy.forge(lambda data: None)
    assert any(line.startswith("arrays.npz/0.npy: ") for line in found)


def _zipped(contents: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _claim(packed: bytearray, name: bytes, size: int) -> None:
    """Write another unpacked size into the directory entry of a member."""
    place = packed.index(b"PK\x01\x02")
    assert packed[place + 46 : place + 46 + len(name)] == name
    packed[place + 24 : place + 28] = struct.pack("<L", size)


@pytest.mark.parametrize("name", ["../../../evil.npy", "/evil.npy", "0.npy/../../evil", "c:\\evil.npy", "1" * 40])
def test_a_member_that_points_elsewhere_is_refused(copy: Copy, name: str, make_zip: Callable[..., bytes]) -> None:
    with zipfile.ZipFile(copy.arrays) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents[name] = contents.pop(f"{len(contents) - 1}.npy")
    copy.arrays.write_bytes(make_zip(contents))
    (line,) = copy.forge(lambda data: None)
    assert re.match(r"arrays\.npz: its (members are not called 0\.npy to|directory of \d+ bytes is not that of)", line)


def test_thousands_of_members_are_refused_before_they_are_listed(copy: Copy, make_zip: Callable[..., bytes]) -> None:
    copy.arrays.write_bytes(make_zip({f"{number}.npy": b"" for number in range(5000)}))
    (line,) = copy.forge(lambda data: None)
    assert re.match(r"arrays\.npz: its directory of \d+ bytes is not that of \d+ arrays", line)


def test_a_directory_that_hides_its_length_is_refused(copy: Copy, make_zip: Callable[..., bytes]) -> None:
    count = copy.data["arrays"]
    packed = bytearray(make_zip({f"{number}.npy": b"" for number in range(5000)}))
    packed[-14:-10] = struct.pack("<HH", count, count)
    copy.arrays.write_bytes(packed)
    (line,) = copy.forge(lambda data: None)
    assert re.match(r"arrays\.npz: its directory of \d+ bytes is not that of \d+ arrays", line)


@pytest.mark.parametrize("compression", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_another_compression_is_refused(copy: Copy, compression: int) -> None:
    (line,) = copy.forge_member(0, b"x", compression)
    assert "is encrypted, or compressed in another way" in line


def test_an_encrypted_archive_is_refused(copy: Copy) -> None:
    packed = bytearray(copy.arrays.read_bytes())
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    copy.arrays.write_bytes(packed)
    (line,) = copy.forge(lambda data: None)
    assert "is encrypted, or compressed in another way" in line


@pytest.mark.parametrize("before", [b"x", b"#!/bin/sh\n"])
def test_bytes_before_an_archive_are_refused(copy: Copy, before: bytes) -> None:
    copy.arrays.write_bytes(before + copy.arrays.read_bytes())
    (line,) = copy.forge(lambda data: None)
    assert "has bytes before or between its arrays and their directory" in line


def test_an_array_that_no_cell_names_is_found(copy: Copy) -> None:
    copy.write([*copy.load(), np.zeros(3)])
    (line,) = copy.forge(lambda data: data.update(arrays=data["arrays"] + 1))
    assert "arrays.npz: 1 of its arrays belong to no cell" in line


def test_members_that_share_their_bytes_are_refused(copy: Copy) -> None:
    packed = bytearray(copy.arrays.read_bytes())
    second = packed.index(b"PK\x01\x02", packed.index(b"PK\x01\x02") + 4)
    packed[second + 42 : second + 46] = struct.pack("<L", 0)  # where the first one lies
    copy.arrays.write_bytes(packed)
    assert any(line.startswith("arrays.npz") for line in copy.forge(lambda data: None))


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06", b"no archive at all, whatever it is called" * 3])
def test_what_is_no_archive_is_refused(copy: Copy, content: bytes) -> None:
    copy.arrays.write_bytes(content)
    assert any("arrays.npz: not a zip archive" in line for line in copy.forge(lambda data: None))


def test_an_archive_with_a_comment_is_refused(copy: Copy) -> None:
    with zipfile.ZipFile(copy.arrays, "a") as archive:
        archive.comment = b"<script>alert(1)</script>"
    (line,) = copy.forge(lambda data: None)
    assert "not a zip archive, or one with a comment" in line


@pytest.mark.parametrize("seed", range(20 * TIMES))
def test_an_archive_with_random_faults_gives_findings_and_no_traceback(copy: Copy, seed: int) -> None:
    rng = np.random.default_rng(seed)
    packed = bytearray(copy.arrays.read_bytes())
    for place in rng.integers(0, len(packed), 200):
        packed[place] = rng.integers(256)
    copy.arrays.write_bytes(packed)
    assert copy.forge(lambda data: None)


@pytest.mark.parametrize("name", ["submission.json", "arrays.npz"])
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
    assert line.startswith("arrays.npz: is a link, or no regular file")


def test_thousands_of_files_are_refused_without_looking_at_them(copy: Copy) -> None:
    for number in range(3000):
        (copy.folder / f"{number}.txt").touch()
    found = copy.found()
    assert 0 < len(found) <= 20
    assert all(line.endswith("leave only submission.json and arrays.npz there") for line in found)


def test_other_files_and_folders_are_refused_by_name(copy: Copy) -> None:
    (copy.folder / "setup.py").write_text("raise SystemExit")
    (copy.folder / "a\x1b[2Jb").mkdir()
    found = copy.found()
    assert [line.partition(":")[0] for line in found] == ["a\\x1b[2Jb", "setup.py"]


def test_a_missing_file_is_told(copy: Copy) -> None:
    copy.arrays.unlink()
    (line,) = copy.found()
    assert line == "arrays.npz: is missing; pack the run again with leaderboard pack"


@pytest.mark.parametrize("name", ["submission.json", "arrays.npz"])
def test_a_file_that_is_too_big_is_refused_unread(copy: Copy, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with (copy.folder / name).open("r+b") as file:
        file.truncate(200 * 2**20)  # a hole: it takes no room
    monkeypatch.setattr(reading, "_bytes", None)
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
        (set_("schema")(1), "submission.json: its schema 1 is not the one that this version reads, 2"),
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
