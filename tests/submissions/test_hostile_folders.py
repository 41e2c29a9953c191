"""Folders made to do harm: nothing outside of them is read, and nothing waits."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.submissions.conftest import Copy


pytestmark = pytest.mark.usefixtures("untouched")


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
