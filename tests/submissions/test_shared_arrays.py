"""Entries hold what the reference entry of their board lacks, and are read and compared with it only."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.submissions.house import House, house_in
from unlearnbench.report.leaderboard import build
from unlearnbench.submissions.board import without_arrays
from unlearnbench.submissions.check import check_submission

if TYPE_CHECKING:
    from tests.submissions.conftest import Copy


def copy_of(folder: Path, house: House) -> Copy:
    from tests.submissions.conftest import Copy

    assert house.suite.path is not None
    return Copy(folder, house.suite.path)


def test_an_entry_does_not_store_again_what_the_reference_entry_has(house: House) -> None:
    folder = house.packed("unlearner=sisa:shards=4", "Bo")
    data = json.loads((folder / "submission.json").read_text())
    (reference,) = house.board.glob("submissions/reference-*")
    of = json.loads((reference / "submission.json").read_text())
    shared = data["shared"]
    assert shared == {
        "entry": reference.name, "arrays": of["arrays"], "estimates": len(of["estimates"]), "digest": of["digest"],
    }  # fmt: skip
    controls = [group for group in data["benches"] if group["unlearner"] in ("retrain", "none")]
    cells = [cell for group in controls for cell in group["cells"]]
    assert all(cell["scores"] < shared["arrays"] for cell in cells)
    assert all(number is None or number < shared["estimates"] for cell in cells for number in cell["estimates"])
    alone = pack_alone(house)
    assert data["arrays_bytes"] < alone["arrays_bytes"] / 2
    assert len(data["estimates"]) < len(alone["estimates"]) / 2


def pack_alone(house: House) -> dict[str, Any]:
    """Pack the same entry where there is no board; return its metadata."""
    away = replace(house, home=house.home / "away")
    (house.home / "away").mkdir()
    (house.home / "away" / "store").symlink_to(house.home / "store")
    found: dict[str, Any] = json.loads((away.packed("unlearner=sisa:shards=4", "Bo") / "submission.json").read_text())
    return found


@pytest.mark.parametrize("harm", ["gone", "document", "arrays"])
def test_an_entry_is_checked_only_with_the_reference_entry_that_it_shares_with(house: House, harm: str) -> None:
    (folder,) = house.board.glob("submissions/unlearner-sisa-shards-2-*")
    (reference,) = house.board.glob("submissions/reference-*")
    assert house.check(folder).findings == ()
    if harm == "gone":
        rmtree(reference)
        what = "which is not beside it"
    elif harm == "document":
        text = (reference / "submission.json").read_text()
        (reference / "submission.json").write_text(text.replace('"author": "Ada"', '"author": "Eve"'))
        what = "which is another than it was"
    else:
        (reference / "arrays.npy.xz").write_bytes(b"x")
        what = "is not the file that was packed"
    found = [str(one) for one in house.check(folder).findings]
    assert any(reference.name in line and what in line for line in found)


def test_tables_need_no_arrays_and_the_build_says_which_are_elsewhere(house: House) -> None:
    before = build(house.published())
    assert without_arrays(house.home / "leaderboards") == []
    (folder,) = house.board.glob("submissions/reference-*")
    kept = (folder / "arrays.npy.xz").rename(house.home / "kept")
    assert without_arrays(house.home / "leaderboards") == [folder]
    assert build(house.published()) == before
    (entry,) = house.board.glob("submissions/unlearner-sisa-shards-2-*")
    assert any("arrays.npy.xz: is not here" in str(one) for one in house.check(entry).findings)
    assert check_submission(entry, house.suite.path, elsewhere=kept).findings == ()


def test_controls_that_are_not_the_boards_are_not_comparable(house: House) -> None:
    copy = copy_of(house.packed("unlearner=sisa:shards=4", "Bo"), house)
    assert copy.found() == []
    assert any("controls compared with those of reference-" in note for note in copy.check().notes)

    def other(data: dict[str, Any], arrays: list[np.ndarray[Any, Any]]) -> None:
        group = next(group for group in data["benches"] if group["unlearner"] == "retrain")
        cell = next(cell for cell in group["cells"] if cell["attack"] == "euclidean")
        arrays.append(arrays[cell["scores"]][::-1].copy())
        cell["scores"] = len(arrays) - 1

    (line,) = copy.forge_claims(other)
    assert "retrain" in line
    assert "not comparable: this control has other scores than on the board" in line


def test_without_a_reference_entry_it_is_said_that_nothing_was_compared(tmp_path: Path) -> None:
    house = house_in(tmp_path, "alone")
    report = house.check(house.packed("attack=sorted-diff", "Bo"))
    assert report.findings == ()
    assert any("no reference entry" in note for note in report.notes)
