"""Files that appear whole or not at all: what is in the way, what is left over, and what the system refuses."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.run.whole_files import WholeFiles

PLACE = Path("cell", "ab", "key")


@pytest.fixture
def files(tmp_path: Path) -> WholeFiles:
    return WholeFiles(tmp_path / "store")


def content(files: WholeFiles) -> bytes | None:
    return files.read(PLACE)


def test_what_is_written_is_read_whole_or_by_its_first_line(files: WholeFiles) -> None:
    files.write(PLACE, [b"one\n", b"two"])
    assert content(files) == b"one\ntwo"
    assert files.read_line(PLACE) == b"one\n"
    assert files.names(PLACE.parent) == {"key"}
    files.write(PLACE, [b"other"], flush=True)
    assert content(files) == b"other"
    assert not list((files.root / "tmp").iterdir())


def test_reading_what_is_not_there_makes_nothing(files: WholeFiles) -> None:
    assert content(files) is files.read_line(PLACE) is None
    assert files.names(PLACE.parent) == set()
    files.remove(PLACE)
    files.set_aside(PLACE)
    assert not files.root.exists()


def folder_at(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "content").write_bytes(b"kept")


def file_at(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"kept")


def dangling_link_at(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("nowhere")


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (folder_at, "cell/ab/key"),
        (dangling_link_at, "cell/ab/key"),
        (file_at, "cell/ab"),
        (dangling_link_at, "cell/ab"),
        (file_at, "cell"),
        (file_at, "tmp"),
        (folder_at, "lock"),
    ],
)
def test_what_is_in_the_way_is_set_aside_and_not_lost(
    files: WholeFiles, make: Callable[[Path], None], where: str
) -> None:
    make(files.root / where)
    assert content(files) in (None, b""), "no file is there"
    assert files.names(PLACE.parent) == set()
    files.write(PLACE, [b"mine"])
    assert content(files) == b"mine"
    aside = [path for path in files.root.rglob("*") if ".damaged-" in path.name]
    assert [path.name.partition(".damaged-")[0] for path in aside] == ([Path(where).name] if aside else [])
    assert aside or make is dangling_link_at
    files.remove_leftovers()


def test_a_folder_in_place_of_a_file_is_set_aside_when_removed(files: WholeFiles) -> None:
    folder_at(files.root / PLACE)
    files.remove(PLACE)
    assert content(files) is None
    (kept,) = files.root.rglob("content")
    assert kept.read_bytes() == b"kept"


def test_leftovers_go_unless_somebody_is_writing(files: WholeFiles) -> None:
    files.write(PLACE, [b"mine"])
    leftover = files.root / "tmp" / "of-a-killed-run"
    leftover.write_bytes(b"half")
    code = "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDWR), fcntl.LOCK_SH); print(); input()"
    command = [sys.executable, "-c", code, str(files.root / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:  # noqa: S603 - our own
        assert writer.stdout is not None
        writer.stdout.readline()
        files.remove_leftovers()
        assert leftover.exists(), "a process that is writing holds the lock, whatever its number is here"
        files.write(PLACE, [b"too"])  # writers share it
        writer.kill()
    files.remove_leftovers()
    assert not leftover.exists()
    assert content(files) == b"too"


def test_a_leftover_folder_of_another_kind_stays(files: WholeFiles) -> None:
    folder_at(files.root / "tmp" / "a-folder")
    files.remove_leftovers()
    assert (files.root / "tmp" / "a-folder").exists()


def refused(call: Callable[[], object], said: str) -> None:
    with pytest.raises(UserError, match=said) as raised:
        call()
    assert len(str(raised.value).splitlines()) == 1


def test_a_store_that_is_a_file_or_below_one_is_refused_and_stays(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    for root in (tmp_path / "file", tmp_path / "file" / "below", Path("/dev/null"), Path("/dev/null/below")):
        files = WholeFiles(root)
        assert content(files) is None
        assert files.names(PLACE.parent) == set()
        refused(lambda files=files: files.write(PLACE, [b"x"]), "cannot write to the store: it is no folder")  # type: ignore[misc]  # mypy cannot infer a lambda's default
        refused(files.remove_leftovers, "cannot write to the store: it is no folder")
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_a_path_that_is_too_long_or_turns_in_a_circle_is_told(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    for root, said in ((tmp_path / ("x" * 300), "File name too long"), (tmp_path / "circle", "Too many levels")):
        files = WholeFiles(root)
        for call in (lambda: content(files), lambda: files.names(PLACE.parent)):  # noqa: B023 - called at once
            refused(call, f"cannot read the store: {said}")


@contextmanager
def limited(what: int, value: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(what)
    resource.setrlimit(what, (value, hard))
    try:
        yield
    finally:
        resource.setrlimit(what, (soft, hard))


def test_a_disk_that_takes_no_more_loses_nothing_and_leaves_nothing(files: WholeFiles) -> None:
    """A limit on the size of files stands for a full disk: a write fails in the middle of a file."""
    files.write(PLACE, [b"old"])
    with limited(resource.RLIMIT_FSIZE, 1000):
        refused(lambda: files.write(PLACE, [b"x" * 500, b"x" * 1000]), "cannot write to the store: File too large")
    assert content(files) == b"old"
    assert not list((files.root / "tmp").iterdir())
    files.write(PLACE, [b"x" * 1500])


def test_without_free_file_descriptors_reading_is_refused_and_succeeds_later(files: WholeFiles) -> None:
    files.write(PLACE, [b"mine"])
    held: list[int] = []
    with limited(resource.RLIMIT_NOFILE, 200):
        with suppress(OSError):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        try:
            refused(lambda: content(files), r"cannot read the store: Too many open files; .* \(ulimit -n\)")
            refused(lambda: files.names(PLACE.parent), "Too many open files")
            refused(lambda: files.write(PLACE, [b"x"]), "cannot write to the store: Too many open files")
        finally:
            for each in held:
                os.close(each)
    assert content(files) == b"mine"


def test_a_folder_that_is_deleted_while_it_is_written_to_is_made_again(
    files: WholeFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    replace, deleted = Path.replace, list[Path]()

    def delete_first(self: Path, target: Path) -> Path:
        if not deleted:
            deleted.append(files.root)
            shutil.rmtree(files.root)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", delete_first)
    files.write(PLACE, [b"mine"])
    assert deleted
    assert content(files) == b"mine"


def test_a_kill_while_writing_leaves_the_old_file(files: WholeFiles) -> None:
    files.write(PLACE, [b"old"])
    code = f"""
import os, signal
from pathlib import Path
from unlearnbench.run.whole_files import WholeFiles
def parts():
    yield b"new"
    os.kill(os.getpid(), signal.SIGKILL)
WholeFiles(Path({str(files.root)!r})).write(Path({str(PLACE)!r}), parts())
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603 - our own code
    assert done.returncode == -signal.SIGKILL
    assert content(files) == b"old"
    assert len(list((files.root / "tmp").iterdir())) == 1
    files.remove_leftovers()
    assert not list((files.root / "tmp").iterdir())
