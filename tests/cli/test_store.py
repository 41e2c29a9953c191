"""Shards of a run in stores of their own, merged, are the run; and the verbs on stores."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unlearnbench.core.estimates import is_measured
from unlearnbench.core.executors import Failure
from unlearnbench.run.merging import same_results
from unlearnbench.run.store import KINDS, Store

if TYPE_CHECKING:
    from tests.cli.conftest import Said

Say = Callable[..., "Said"]
Change = Callable[..., None]
REASON = "ValueError: an array does not match its checksum"
PART = ("--only", "unlearner=retrain", "--only", "attack=random")


def rows(say: Say, store: str) -> object:
    """Return the results in a store, without wall times."""
    said = say("results", "tiny.yaml", "--store", store, "--format", "json")
    listed = json.loads(said.out)
    for row in listed if isinstance(listed, list) else listed["rows"]:
        row["metrics"] = {k: v for k, v in row["metrics"].items() if not is_measured(k)}
    return listed


def entry(store: str | Path) -> Path:
    """Return the file of one cell."""
    return next(file for file in Path(store).glob("cell-*/*/*") if ".damaged-" not in file.name)


def damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def test_three_shards_merged_are_the_run_to_the_bit(say: Say, change: Change) -> None:
    change(
        models=["decision-tree", "logistic-regression"],
        unlearners=["retrain", {"name": "sisa", "params": {"shards": 2}}],
    )
    assert say("run", "tiny.yaml", "--store", "whole").code == 0
    for number in (1, 2, 3):
        said = say("run", "tiny.yaml", "--store", f"part-{number}", "--shard", f"{number}/3")
        assert said.code == 0
        assert "ATTACKS" not in said.out, "no tables of a part"
    assert say("store", "merge", "part-1", "part-2", "part-3", "--into", "merged").code == 0
    assert rows(say, "merged") == rows(say, "whole")
    whole, merged = Store(Path("whole")), Store(Path("merged"))
    for kind in KINDS:
        assert [*whole.keys(kind)] == [*merged.keys(kind)]
        for key in whole.keys(kind):
            one, other = whole.get(kind, key), merged.get(kind, key)
            assert one is not None
            assert other is not None
            assert same_results(one, other)
    again = json.loads(say("store", "merge", "part-1", "--into", "merged", "--json").out)["part-1"]
    assert (again["copied"], again["damaged"]) == (0, 0)
    assert again["present"] > 0


@pytest.fixture
def stored(say: Say, tmp_path: Path) -> Path:
    """A store with the cells of one attack."""
    assert (
        say("run", "tiny.yaml", "--only", "unlearner=retrain", "--only", "attack=random", "--store", "here").code == 0
    )
    return tmp_path / "here"


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0", "1", "a/b", "1/3/5", "-1/3", "1 / 3", "", "1/\u0661"])
def test_a_shard_that_is_none_is_refused(say: Say, text: str, tmp_path: Path) -> None:
    said = say("run", "tiny.yaml", "--shard", text)
    assert said.code == 2
    assert said.err == f'error: --shard {text}: must be a part and the number of parts, from "1/3" to "3/3" for three\n'
    assert not (tmp_path / ".unlearnbench").exists()


def test_no_part_is_published(say: Say) -> None:
    said = say("run", "tiny.yaml", "--shard", "1/3", "--publish")
    assert (said.code, said.err[:52]) == (2, "error: --publish writes the results of whole suites ")


def test_info_counts_entries_and_what_is_none(say: Say, stored: Path) -> None:
    (stored / "notes.txt").write_text("mine")
    damage(entry(stored))
    found = json.loads(say("store", "info", "here", "--json").out)
    assert found["episode"]["files"] == 4
    assert found["cell"]["files"] == 2
    assert found["foreign"] == {"files": 1, "bytes": 4}
    assert say("store", "info", "here").out.splitlines()[2].split()[:2] == ["episode", "4"]


def test_verify_names_what_is_damaged_and_the_next_run_makes_it(say: Say, stored: Path) -> None:
    assert say("store", "verify", "here") == (0, "every entry is intact\n", "")
    damage(file := entry(stored))
    said = say("store", "verify", "here")
    assert (said.code, said.out) == (1, f"damaged: cell {file.name} ({REASON})\n")
    assert json.loads(say("store", "verify", "here", "--json").out) == [
        {"kind": "cell", "key": file.name, "reason": REASON}
    ]
    say("run", "tiny.yaml", *PART, "--store", "here")
    assert say("store", "verify", "here").code == 0


def test_repair_sets_damaged_entries_aside_and_the_next_run_makes_them(say: Say, stored: Path) -> None:
    before = rows(say, "here")
    damage(file := entry(stored))
    whole = {each: each.stat().st_mtime_ns for each in stored.rglob("*") if each.is_file() and each != file}
    told = f"set aside: cell {file.name} ({REASON})\n"
    assert say("store", "repair", "here", "--dry-run") == (0, f"would {told}", "")
    assert file.exists()
    assert say("store", "repair", "here")[:2] == (0, told)
    assert [each.name[:-8] for each in file.parent.glob(f"{file.name}*")] == [f"{file.name}.damaged-"]
    assert {each: each.stat().st_mtime_ns for each in whole} == whole, "sound entries stay as they are"
    assert say("store", "repair", "here")[:2] == say("store", "verify", "here")[:2] == (0, "every entry is intact\n")
    assert say("run", "tiny.yaml", *PART, "--store", "here").code == 0
    assert rows(say, "here") == before


def test_a_folder_in_the_place_of_an_entry_is_repaired_and_a_misplaced_entry_is_none(say: Say, stored: Path) -> None:
    file = entry(stored)
    elsewhere = file.parents[1] / ("00" if file.name[:2] != "00" else "01")
    elsewhere.mkdir(exist_ok=True)
    file.rename(elsewhere / file.name)
    assert say("store", "verify", "here").out == "every entry is intact\n"
    assert json.loads(say("store", "info", "here", "--json").out)["foreign"]["files"] == 1
    file.mkdir()
    assert say("store", "repair", "here", "--json").code == 0
    assert not file.exists()


def test_gc_removes_what_no_run_reads_and_nothing_else(say: Say, stored: Path) -> None:
    (stored / "notes.txt").write_text("mine")
    (stored / "cell-3" / "ab").mkdir(parents=True)
    (stored / "cell-3" / "ab" / "old").write_text("12345")
    (stored / "tmp" / "left").write_text("by a killed run")
    kept = {file for file in stored.rglob("*") if file.is_file()} - {
        stored / "cell-3" / "ab" / "old",
        stored / "tmp" / "left",
    }
    assert say("store", "gc", "here") == (0, "removed 1 file, 5 bytes\n", "")
    assert {file for file in stored.rglob("*") if file.is_file()} == kept


@pytest.mark.parametrize("verb", [("info",), ("verify",), ("repair",), ("gc",), ("merge", "--into", "there")])
def test_a_folder_that_is_no_store_is_refused(say: Say, verb: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").touch()
    for folder in ("photos", "nowhere"):
        said = say("store", *verb, folder)
        assert (said.code, said.err) == (
            2,
            f"error: {folder}: this folder is no store of results; give the one that --store names\n",
        )
    assert not (tmp_path / "there").exists()


def test_a_damaged_entry_is_not_merged(say: Say, stored: Path) -> None:
    damage(entry(stored))
    said = say("store", "merge", "here", "--into", "there", "--json")
    assert said.code == 1
    assert json.loads(said.out)["here"] == {"copied": 5, "present": 0, "damaged": 1, "failures": 0}


def test_failures_are_merged_where_there_is_no_result(say: Say, stored: Path) -> None:
    key = entry(stored).name
    for failed in ("ab" * 32, key):
        Store(stored).fail("cell", failed, Failure("timeout", "it took long"))
    assert say("store", "merge", "here", "--into", "there").code == 0
    there = Store(Path("there"))
    assert there.failure("cell", "ab" * 32) == Failure("timeout", "it took long")
    assert there.failure("cell", key) is None


def test_different_results_of_one_key_are_refused(say: Say, stored: Path) -> None:
    shutil.copytree(stored, "there")
    file = entry("there")
    store = Store(Path("there"))
    found = store.get("cell", file.name)
    assert found is not None
    store.drop("cell", file.name)
    store.put("cell", file.name, found.payload, {**found.arrays, "scores": found.arrays["scores"][::-1].copy()})
    said = say("store", "merge", "here", "--into", "there")
    assert said.code == 2
    assert said.err.startswith(
        f"error: here and there hold different results of one cell ({file.name[:12]}): they were"
    )
