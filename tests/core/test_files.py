from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.core.files import write_whole


def test_a_file_is_written_with_its_folder_as_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "page.md"
    assert write_whole(file, "é\n") == file
    assert file.read_bytes() == "é\n".encode()
    assert write_whole(file, b"\x00").read_bytes() == b"\x00"
    assert list(file.parent.iterdir()) == [file]


def full(path: Path, content: bytes) -> int:
    """Write half of it, as onto a disk that is full then."""
    with path.open("wb") as stream:
        stream.write(content[: len(content) // 2])
    raise OSError(28, "No space left on device")


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_whole(tmp_path / "page.md", "the old text")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError) as caught:
        write_whole(file, "a new and longer text")
    assert str(caught.value) == f"{file}: cannot be written: No space left on device"
    assert file.read_text() == "the old text"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("name", ["file.txt/page.md", "x" * 300, "folder", "nul\0"])
def test_what_cannot_be_written_is_told_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.txt").touch()
    (tmp_path / "folder").mkdir()
    before = {*tmp_path.iterdir()}
    with pytest.raises(UserError, match="cannot be written: ") as caught:
        write_whole(tmp_path / name, "text")
    assert str(caught.value).isprintable()
    assert {*tmp_path.iterdir()} == before


def test_a_link_stays_a_link_and_a_file_keeps_its_mode(tmp_path: Path) -> None:
    file, link = tmp_path / "page.md", tmp_path / "link.md"
    file.write_text("old")
    file.chmod(0o640)
    link.symlink_to(file)
    write_whole(link, "new")
    assert link.is_symlink()
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("new", 0o640)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader: Any = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(pipe, "text")
        assert os.read(reader, 9) == b"text"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
