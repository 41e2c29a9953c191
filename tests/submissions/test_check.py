"""What a careful forger changes is found, all digests made right again; what a careless one changes too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.submissions.checking import Data, first_bench
from unlearnbench.run.results import collect
from unlearnbench.submissions.check import check_submission

if TYPE_CHECKING:
    from tests.submissions.conftest import Copy, Packed


def cell_of(data: Data, attack: str) -> Data:
    cell: Data = next(cell for cell in first_bench(data)["cells"] if cell["attack"] == attack)
    return cell


def test_a_sound_submission_has_no_findings_and_gives_the_rows_of_the_run(packed: Packed) -> None:
    report = check_submission(packed.folder, packed.suite)
    assert report.findings == ()
    assert [row.to_dict() for row in report.rows] == [row.to_dict() for row in collect(packed.plan, packed.store)]
    assert {row.status for row in report.rows} == {"ok", "skipped"}


def test_a_check_says_what_it_took_as_submitted(packed: Packed) -> None:
    (note,) = check_submission(packed.folder, packed.suite).notes
    assert note.startswith("decision-tree: matched negatives are not the nearest records; regions")


def test_a_byte_changed_in_a_file_is_found(copy: Copy) -> None:
    content = bytearray(copy.arrays.read_bytes())
    content[60] ^= 1
    copy.arrays.write_bytes(content)
    assert "arrays.npy.xz: is not the file that was packed: its size or sha256 is another" in copy.found()[0]


def test_a_changed_word_in_the_metadata_is_found(copy: Copy) -> None:
    copy.document.write_text(copy.document.read_text().replace("An author", "Another author"))
    (line,) = copy.found()
    assert line.startswith("submission.json: was changed after it was packed: the digest is another")


def test_a_path_that_is_not_that_of_the_metadata_is_found(copy: Copy) -> None:
    copy.folder = copy.folder.rename(copy.folder.with_name("elsewhere"))
    (line,) = copy.found()
    assert "its path ends in small/submissions/elsewhere; its metadata make it small/submissions/a-name-" in line


@pytest.mark.parametrize(("here", "path"), [("", "."), ("", "../{0}"), ("..", "{0}"), ("..", "../submissions/{0}/")])
def test_a_place_is_where_a_folder_lies_however_it_is_named(
    copy: Copy, monkeypatch: pytest.MonkeyPatch, here: str, path: str
) -> None:
    monkeypatch.chdir(copy.folder / here)
    assert check_submission(Path(path.format(copy.folder.name)), copy.suite).findings == ()


def test_a_changed_score_is_found_by_the_metrics_it_does_not_give(copy: Copy) -> None:
    number = cell_of(copy.data, "classical")["scores"]
    found = copy.forge_array(number, lambda scores: scores[::-1])
    assert any(
        re.search(r"retrain, single, none, classical, 0: its scores do not give the claimed auc", line)
        for line in found
    )


def test_a_changed_metric_is_found_by_the_scores_that_do_not_give_it(copy: Copy) -> None:
    def better(data: Data) -> None:
        place = cell_of(data, "classical")["estimates"][data["metrics"].index("auc")]
        data["estimates"][place] |= {"value": 0.999, "low": 0.99, "high": 1.0}

    found = copy.forge(better)
    assert any("do not give the claimed auc (0.999, computed" in line for line in found)


@pytest.mark.parametrize("field", ["low", "high", "n", "status", "reason", "details"])
def test_every_field_of_an_estimate_is_compared(copy: Copy, field: str) -> None:
    def change(data: Data) -> None:
        estimate = data["estimates"][cell_of(data, "random")["estimates"][data["metrics"].index("auc")]]
        changed = {
            "low": estimate["low"] - 0.001,
            "high": estimate["high"] + 0.001,
            "n": estimate["n"] + 1,
            "status": "no-interval",
            "reason": "because",
            "details": {},
        }
        estimate |= {field: changed[field]} | ({"reason": "x"} if field == "status" else {})

    assert any("do not give the claimed auc" in line for line in copy.forge(change))
