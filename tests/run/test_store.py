from __future__ import annotations

import fcntl
import logging
import os
import resource
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Failure
from unlearnbench.core.hashing import content_key
from unlearnbench.run.store import Store

KEY = content_key({"question": 1})
OTHER = content_key({"question": 2})
ARRAYS = {"x": np.arange(6.0).reshape(2, 3), "flags": np.array([True, False]), "none": np.empty((0, 2))}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def place(store: Store, key: str = KEY) -> Path:
    return store.root / "episode-3" / key[:2] / key


@pytest.fixture
def entry(store: Store) -> Path:
    """Put one entry and return where it lies."""
    store.put("episode", KEY, {"seconds": 0.1}, ARRAYS)
    return place(store)


@pytest.fixture(scope="session")
def snapshot() -> Callable[[Path], dict[str, object]]:
    """Return what lies below a folder: names, times and contents."""

    def snapshot(folder: Path) -> dict[str, object]:
        return {
            str(path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
            for path in sorted(folder.rglob("*"))
        }

    return snapshot


def test_what_is_put_is_got_back(store: Store, entry: Path) -> None:
    got = store.get("episode", KEY)
    assert got is not None
    assert got.payload == store.payload("episode", KEY) == {"seconds": 0.1}
    assert got.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert got.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(got.arrays[name], array)


def test_nothing_is_there_before_it_is_put_and_asking_writes_nothing(store: Store) -> None:
    assert not store.has("episode", KEY)
    assert store.get("episode", KEY) is None
    assert store.payload("episode", KEY) is None
    assert store.failure("episode", KEY) is None
    store.drop("episode", KEY)
    assert not store.root.exists()


def test_which_of_many_entries_are_stored_is_what_has_says_of_each(store: Store, entry: Path) -> None:
    store.put("cell", OTHER, {}, {})
    beside = KEY[:-1] + ("0" if KEY[-1] != "0" else "1")
    (entry.parent / beside).mkdir()
    keys = [KEY, OTHER, beside, "ff" * 32]
    for kind, there in (("episode", {KEY}), ("cell", {OTHER}), ("none", set())):
        assert store.stored(kind, keys) == there == {key for key in keys if store.has(kind, key)}


def test_kinds_do_not_share_keys(store: Store, entry: Path) -> None:
    assert store.get("cell", KEY) is None


def test_arrays_cannot_be_changed_through_what_was_got(store: Store, entry: Path) -> None:
    got = store.get("episode", KEY)
    assert got is not None
    with pytest.raises(ValueError, match="read-only"):
        got.arrays["x"][0, 0] = 7.0


def test_an_entry_that_cannot_be_written_whole_is_not_there_at_all(store: Store) -> None:
    with pytest.raises(ValueError, match=r"[Oo]bject"):
        store.put("episode", KEY, {}, {"good": np.zeros(2), "bad": np.array([{}])})
    with pytest.raises(ValueError, match="JSON"):
        store.put("episode", KEY, {"seconds": float("nan")}, {})
    assert not store.root.exists()


def test_the_second_of_two_writers_leaves_the_first_entry_and_no_scratch(store: Store, entry: Path) -> None:
    before = entry.stat().st_mtime_ns
    store.put("episode", KEY, {"seconds": 0.2}, ARRAYS)
    assert entry.stat().st_mtime_ns == before
    assert list((store.root / "tmp").iterdir()) == []


def test_a_thousand_entries_hold_no_file_open(store: Store) -> None:
    keys = [sha256(b"%d" % i).hexdigest() for i in range(100)]
    for key in keys:
        store.put("cell", key, {}, ARRAYS)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_open_files() + 20, hard))
    try:
        held = [store.get("cell", key) for key in keys for _ in range(10)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert all(entry is not None and entry.arrays["x"].sum() == 15 for entry in held)


def _open_files() -> int:
    """Return the lowest number of a file that is not open, and is above all open ones."""
    numbers = []
    for number in range(1024):
        with suppress(OSError):
            os.fstat(number)
            numbers.append(number)
    return max(numbers) + 1


def flip(entry: Path) -> None:
    content = bytearray(entry.read_bytes())
    content[-1] ^= 1
    entry.write_bytes(content)


def flip_head(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes().replace(b"0.1", b"0.2"))


def cut(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes()[:-8])


def cut_head(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes()[:40])


def empty(entry: Path) -> None:
    entry.write_bytes(b"")


def put_a_folder_there(entry: Path) -> None:
    entry.unlink()
    entry.mkdir()
    (entry / "manifest.json").write_text("{}")


def put_another_there(entry: Path) -> None:
    other = Store(entry.parents[2])
    other.put("episode", OTHER, {"seconds": 0.1}, ARRAYS)
    shutil.copy(place(other, OTHER), entry)


DAMAGES = (flip, flip_head, cut, cut_head, empty, put_a_folder_there, put_another_there)
Snapshot = Callable[[Path], dict[str, object]]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_reported_left_to_who_writes_and_then_set_aside(
    store: Store, entry: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture, snapshot: Snapshot
) -> None:
    damage(entry)
    before = snapshot(store.root)
    with caplog.at_level(logging.WARNING):
        assert store.get("episode", KEY) is None
    assert f"the episode entry {KEY} is damaged" in caplog.text
    assert snapshot(store.root) == before, "reading changes nothing"
    store.put("episode", KEY, {"seconds": 0.3}, ARRAYS)
    assert store.payload("episode", KEY) == {"seconds": 0.3}
    (aside,) = entry.parent.glob("*.damaged-*")
    assert aside.name.startswith(KEY)
    assert "set aside" in caplog.text


@pytest.mark.parametrize("damage", DAMAGES)
def test_only_what_is_damaged_is_set_aside(store: Store, entry: Path, damage: Callable[[Path], None]) -> None:
    store.put("episode", OTHER, {}, ARRAYS)
    damage(entry)
    assert store.damage("episode", KEY)
    assert [store.set_damaged_aside("episode", key) for key in (KEY, OTHER, "ff" * 32)] == [True, False, False]
    assert not entry.exists()
    assert (store.damage("episode", OTHER), store.damage("episode", KEY)) == ("", "")


def test_a_sound_entry_that_another_run_has_just_put_there_is_not_set_aside(store: Store, entry: Path) -> None:
    """Another process writes while this one waits for the lock of writers."""
    sound = entry.read_bytes()
    flip(entry)
    with ThreadPoolExecutor(1) as other, (store.root / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        answer = other.submit(store.set_damaged_aside, "episode", KEY)
        with pytest.raises(TimeoutError):
            answer.result(0.2)
        entry.write_bytes(sound)
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert answer.result() is False
    assert store.get("episode", KEY) is not None


def test_an_entry_of_another_schema_is_kept_and_told_in_one_line(store: Store, entry: Path) -> None:
    digest, _, text = entry.read_bytes().partition(b"\n")[0].partition(b" ")
    newer = text.replace(b'"schema":2', b'"schema":3')
    assert digest != newer != text
    entry.write_bytes(sha256(newer).hexdigest().encode() + b" " + newer + b"\n")
    written = entry.read_bytes()
    for call in (
        lambda: store.get("episode", KEY),
        lambda: store.payload("episode", KEY),
        lambda: store.put("episode", KEY, {}, {}),
    ):
        with pytest.raises(UserError, match="an entry has schema 3, and this version of unlearnbench reads 2"):
            call()
    assert entry.read_bytes() == written


def test_an_entry_that_cannot_be_read_is_no_damage(store: Store, entry: Path) -> None:
    """A circle of links stands for what the system refuses to open: root may read everything else."""
    kept = entry.rename(entry.with_name("kept"))
    entry.symlink_to(entry)
    for call in (
        lambda: store.get("episode", KEY),
        lambda: store.payload("episode", KEY),
        lambda: store.put("episode", KEY, {}, {}),
    ):
        with pytest.raises(UserError, match="cannot read the store: Too many levels of symbolic links"):
            call()
    entry.unlink()
    kept.rename(entry)
    assert store.get("episode", KEY) is not None


def test_failures_lie_apart_and_go_once_the_entry_is_there(store: Store) -> None:
    failure = Failure("failed", "it broke", "Traceback ...")
    store.fail("cell", KEY, failure)
    assert store.failure("cell", KEY) == failure
    assert store.failure("episode", KEY) is None
    assert not store.has("cell", KEY)
    assert (store.root / "failures" / "cell" / f"{KEY}.json").exists()
    store.put("cell", KEY, {}, {})
    assert store.failure("cell", KEY) is None


def test_dropping_removes_entry_and_failure(store: Store, entry: Path) -> None:
    store.fail("episode", KEY, Failure("failed", "it broke"))
    store.drop("episode", KEY)
    assert not store.has("episode", KEY)
    assert store.failure("episode", KEY) is None
    store.drop("episode", KEY)  # once more harms nobody


DEEP = '{"status": ' + "[" * 200_000 + "}"


@pytest.mark.parametrize("content", ["", "[]", "{", '{"status": "failed"}', '{"status": 1, "more": 2}', DEEP])
def test_a_damaged_record_of_a_failure_is_none_and_is_replaced_by_the_next(
    store: Store, content: str, caplog: pytest.LogCaptureFixture, snapshot: Snapshot
) -> None:
    store.fail("cell", KEY, Failure("failed", "it broke"))
    (store.root / "failures" / "cell" / f"{KEY}.json").write_text(content)
    before = snapshot(store.root)
    assert store.failure("cell", KEY) is None
    assert "is damaged and counts as none" in caplog.text
    assert snapshot(store.root) == before
    store.fail("cell", KEY, Failure("failed", "it broke again"))
    assert store.failure("cell", KEY) == Failure("failed", "it broke again")


def test_a_very_long_traceback_is_kept_without_its_middle(store: Store) -> None:
    store.fail("cell", KEY, Failure("failed", "it broke", "start\n" + "x" * 10**6 + "\nend"))
    failure = store.failure("cell", KEY)
    assert failure is not None
    assert (failure.traceback[:6], failure.traceback[-4:]) == ("start\n", "\nend")
    assert len(failure.traceback) < 20_100
