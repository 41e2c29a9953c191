from __future__ import annotations

import json
import logging
import os
import pickle
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from unlearnbench.core.executors import Failure
from unlearnbench.core.hashing import canonical_json, content_key
from unlearnbench.run.store import SharedStore, Store

KEY = content_key({"question": 1})
OTHER = content_key({"question": 2})
ARRAYS = {"x": np.arange(6.0).reshape(2, 3), "flags": np.array([True, False]), "none": np.empty((0, 2))}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def entry(store: Store) -> Path:
    """Put one entry and return where it lies."""
    store.put("episode", KEY, {"seconds": 0.1}, ARRAYS)
    return store.root / "episode" / KEY[:2] / KEY


def test_what_is_put_is_got_back(store: Store, entry: Path) -> None:
    got = store.get("episode", KEY)
    assert got is not None
    assert got.payload == {"seconds": 0.1}
    assert got.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert got.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(got.arrays[name], array)


def test_nothing_is_there_before_it_is_put(store: Store) -> None:
    assert not store.has("episode", KEY)
    assert store.get("episode", KEY) is None
    assert store.failure("episode", KEY) is None


def test_which_of_many_entries_are_stored_is_what_has_says_of_each(store: Store, entry: Path) -> None:
    store.put("cell", OTHER, {}, {})
    half = KEY[:-1] + ("0" if KEY[-1] != "0" else "1")
    (entry.parent / half).mkdir()  # what a drop that was interrupted leaves
    keys = [KEY, OTHER, half, "ff" * 32]
    for kind in ("episode", "cell", "none"):
        assert store.stored(kind, keys) == {key for key in keys if store.has(kind, key)}


def test_opening_and_asking_writes_nothing(store: Store) -> None:
    store.get("episode", KEY)
    assert not store.root.exists()


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
    assert not store.has("episode", KEY)
    with pytest.raises(ValueError, match="JSON"):
        store.put("episode", KEY, {"seconds": float("nan")}, {})
    assert not store.has("episode", KEY)


def test_the_second_of_two_writers_leaves_the_first_entry_and_no_scratch(store: Store, entry: Path) -> None:
    before = (entry / "manifest.json").stat().st_mtime_ns
    store.put("episode", KEY, {"seconds": 0.1}, ARRAYS)
    assert (entry / "manifest.json").stat().st_mtime_ns == before
    assert list((store.root / "tmp").iterdir()) == []


def damage_manifest(entry: Path) -> None:
    file = entry / "manifest.json"
    file.write_bytes(file.read_bytes().replace(b"0.1", b"0.2"))


def truncate_manifest(entry: Path) -> None:
    file = entry / "manifest.json"
    file.write_bytes(file.read_bytes()[:40])


def replace_manifest(entry: Path) -> None:
    (entry / "manifest.json").write_text("[]")


def empty_manifest(entry: Path) -> None:
    (entry / "manifest.json").write_text("{}")


def manifest_of_another_schema(entry: Path) -> None:
    file = entry / "manifest.json"
    file.write_text(file.read_text().replace('"schema":1', '"schema":2'))


def flip_a_bit(entry: Path) -> None:
    content = bytearray((entry / "x.npy").read_bytes())
    content[-1] ^= 1
    (entry / "x.npy").write_bytes(content)


def truncate_array(entry: Path) -> None:
    file = entry / "x.npy"
    file.write_bytes(file.read_bytes()[:-8])


def empty_array(entry: Path) -> None:
    (entry / "x.npy").write_bytes(b"")


def lose_array(entry: Path) -> None:
    (entry / "flags.npy").unlink()


DAMAGES = (
    damage_manifest,
    truncate_manifest,
    replace_manifest,
    empty_manifest,
    manifest_of_another_schema,
    flip_a_bit,
    truncate_array,
    empty_array,
    lose_array,
)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_set_aside_reported_and_can_be_made_again(
    store: Store, entry: Path, damage: object, caplog: pytest.LogCaptureFixture
) -> None:
    damage(entry)  # type: ignore[operator]  # one of the functions above
    with caplog.at_level(logging.WARNING):
        assert store.get("episode", KEY) is None
    assert "damaged episode entry was set aside" in caplog.text
    (aside,) = (store.root / "damaged").iterdir()
    assert aside.name.startswith(KEY)
    assert not store.has("episode", KEY)
    store.put("episode", KEY, {"seconds": 0.1}, ARRAYS)
    assert store.get("episode", KEY) is not None


def test_a_reader_of_a_shared_store_leaves_damage_and_leftovers_to_the_writer(
    store: Store, entry: Path, caplog: pytest.LogCaptureFixture
) -> None:
    leftover = store.root / "tmp" / f"{dead_process()}-0"
    leftover.mkdir(parents=True)
    truncate_array(entry)
    assert SharedStore(store.root).get("episode", KEY) is None
    assert "is left to the next run" in caplog.text
    assert entry.exists()
    assert leftover.exists()


def test_an_entry_copied_to_another_key_is_damage(store: Store, entry: Path, caplog: pytest.LogCaptureFixture) -> None:
    elsewhere = store.root / "episode" / OTHER[:2] / OTHER
    shutil.copytree(entry, elsewhere)
    assert store.get("episode", OTHER) is None
    assert store.get("episode", KEY) is not None


class Boom:
    """Unpickling this would leave a file behind."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.file,)


def save_objects(file: Path, boom: Boom) -> None:
    np.save(file, np.array([boom], dtype=object), allow_pickle=True)


def save_pickle(file: Path, boom: Boom) -> None:
    file.write_bytes(pickle.dumps(boom))


@pytest.mark.parametrize("save", [save_objects, save_pickle])
def test_a_pickled_array_is_refused_even_with_a_right_checksum(
    store: Store, entry: Path, tmp_path: Path, save: object, caplog: pytest.LogCaptureFixture
) -> None:
    marker = tmp_path / "unpickled"
    save(entry / "x.npy", Boom(marker))  # type: ignore[operator]  # one of the functions above
    manifest = json.loads((entry / "manifest.json").read_text())
    del manifest["sha256"]
    manifest["arrays"]["x"] = sha256((entry / "x.npy").read_bytes()).hexdigest()
    signed = {**manifest, "sha256": sha256(canonical_json(manifest).encode()).hexdigest()}
    (entry / "manifest.json").write_text(canonical_json(signed))
    assert store.get("episode", KEY) is None
    assert not marker.exists()
    assert "Python objects" in caplog.text or "pickled" in caplog.text


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


@pytest.mark.parametrize("content", ["", "[]", "{", '{"status": "failed"}', '{"status": 1, "more": 2}'])
def test_a_damaged_record_of_a_failure_is_none(store: Store, content: str, caplog: pytest.LogCaptureFixture) -> None:
    store.fail("cell", KEY, Failure("failed", "it broke"))
    (store.root / "failures" / "cell" / f"{KEY}.json").write_text(content)
    assert store.failure("cell", KEY) is None
    assert "damaged record" in caplog.text


def dead_process() -> int:
    """Return the id of a process that is gone."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_leftovers_of_dead_processes_are_removed_and_those_of_living_ones_kept(tmp_path: Path) -> None:
    names = {"dead": f"{dead_process()}-abc", "mine": f"{os.getpid()}-abc", "init": "1-abc", "strange": "what-is-this"}
    for name in names.values():
        (tmp_path / "tmp" / name).mkdir(parents=True)
        (tmp_path / "tmp" / name / "x.npy").touch()
    Store(tmp_path)
    assert {path.name for path in (tmp_path / "tmp").iterdir()} == set(names.values()) - {names["dead"]}


def test_the_plain_data_of_an_entry_is_verified_without_its_arrays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("cell", "ab" * 32, {"x": 1}, {"scores": np.arange(3.0)})
    (array,) = tmp_path.rglob("scores.npy")
    array.unlink()
    assert store.payload("cell", "ab" * 32) == {"x": 1}
    assert store.payload("cell", "cd" * 32) is None
    (manifest,) = tmp_path.rglob("manifest.json")
    manifest.write_text(manifest.read_text().replace('"x":1', '"x":2'))
    assert store.payload("cell", "ab" * 32) is None
