from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.report.leaderboard import build
from unlearnbench.report.publication import Publication
from unlearnbench.submissions.accept import accept, drift

if TYPE_CHECKING:
    from tests.submissions.conftest import Copy

TOLD = ["run again, compared to the bit: a cell"]


@pytest.fixture
def results(copy: Copy) -> Path:
    """Check and accept the small submission; return the board's results."""
    return accepted(copy)


def accepted(copy: Copy) -> Path:
    report = copy.check()
    assert report.context is not None
    assert report.findings == ()
    return accept(report.context, report.rows, "spring", TOLD)


def change(results: Path, how: Callable[[dict[str, Any]], None]) -> list[str]:
    data = json.loads(results.read_text())
    how(data)
    results.write_text(json.dumps(data))
    return [str(finding) for finding in drift(results)]


def test_a_board_holds_the_computed_rows_and_where_they_come_from(copy: Copy, results: Path) -> None:
    report, publication = copy.check(), Publication.read(results)
    assert results == copy.folder.parents[1] / "results.json"
    assert [row.to_dict() for row in publication.rows] == [row.to_dict() for row in report.rows]
    assert publication.environment == copy.data["environment"]
    told = publication.submission
    assert told is not None
    assert (told.id, told.digest) == (copy.data["id"], copy.data["digest"])
    assert (told.name, told.author, told.nonce) == ("A name", "An author", "spring")
    assert told.rerun == ("compared to the bit: a cell",)
    assert drift(results) == []


def test_accepting_again_gives_the_same_bytes(copy: Copy, results: Path) -> None:
    before = results.read_bytes()
    accepted(copy)
    assert results.read_bytes() == before


def test_the_page_tells_submission_digest_and_check(copy: Copy, results: Path) -> None:
    files = {path.name: text for path, text in build(results).items()}
    for text in (files["README.md"], files["index.html"]):
        for part in (copy.data["digest"], "A name", "An author", "spring", "compared to the bit: a cell"):
            assert part in text
        assert f"submissions/{copy.folder.name}/submission.json" in text


def test_a_board_without_a_re_run_says_so(copy: Copy) -> None:
    report = copy.check()
    assert report.context is not None
    files = build(accept(report.context, report.rows))
    assert all("No cell was run again" in text for path, text in files.items() if path.suffix in (".md", ".html"))


def test_the_area_under_each_curve_is_nearly_the_mean_auc(results: Path) -> None:
    publication = Publication.read(results)
    rows = [row for row in publication.rows if row.seed is None and row.names["unlearner"] == "retrain"]
    means = {tuple(row.names.values()): row.metrics["auc"].value for row in rows}
    assert [tuple(curve.labels.values()) for curve in publication.curves] == list(means)
    for curve in publication.curves:
        assert (curve.fpr[0], curve.fpr[-1], curve.tpr[-1]) == (0.0, 1.0, 1.0)
        assert np.trapezoid(curve.tpr, curve.fpr) == pytest.approx(means[tuple(curve.labels.values())], abs=0.03)


def test_a_board_that_names_no_submission_has_none_to_drift_from(results: Path) -> None:
    assert change(results, lambda data: data.pop("submission")) == []


def set_metric(data: dict[str, Any], seed: int | None) -> None:
    row = next(row for row in data["rows"] if row["seed"] == seed and row["metrics"]["auc"]["value"] is not None)
    row["metrics"]["auc"]["value"] -= 0.001


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (lambda data: set_metric(data, 1), "results.json and submission differ"),
        (lambda data: set_metric(data, None), "its means over seeds, or its rows marked invalid, do not follow"),
        (lambda data: data["rows"].pop(0), "results.json and submission differ"),
        (lambda data: data["rows"].append(data["rows"][-1]), "its means over seeds"),
        (lambda data: data["rows"][0].update(seed=7), "results.json and submission differ"),
        (lambda data: data["rows"][0].update(status="invalid"), "its rows marked invalid, do not follow"),
        (lambda data: data["environment"].update(python="2.7"), "has another environment"),
        (lambda data: data["plugins"]["attack"]["random"].update(role="entry"), "its plug-ins have other roles"),
        (lambda data: data["plugins"]["unlearner"]["retrain"].update(role="control"), "its plug-ins have other roles"),
        (lambda data: data["plugins"]["attack"]["random"].update(versions="both"), "its plug-ins have other roles"),
        (lambda data: data["plugins"]["attack"]["blind"].pop("tests_sample"), "declares attack blind otherwise than"),
        (lambda data: data["suite"].update(description="better"), "is of another suite"),
        (lambda data: data["submission"].update(digest="0" * 64), "names another digest"),
        (lambda data: data["submission"].update(author="Somebody"), "names another digest, name or author"),
        (lambda data: data["submission"].update(id="gone-00000000"), "its submission gone-00000000 is not beside it"),
    ],
)
def test_a_board_changed_by_hand_is_found(results: Path, how: Callable[[dict[str, Any]], None], told: str) -> None:
    found = change(results, how)
    assert any(told in line for line in found)


@pytest.mark.parametrize(
    "how",
    [
        lambda data: data["submission"].update(id="../elsewhere"),
        lambda data: data["submission"].update(id=7),
        lambda data: data["submission"].update(rerun=[7]),
        lambda data: data["submission"].update(more=""),
        lambda data: data["curves"][0]["labels"].pop("attack"),
        lambda data: data["curves"][0]["tpr"].pop(),
        lambda data: data["curves"][0]["tpr"].__setitem__(0, 2.0),
        lambda data: data["curves"][0]["fpr"].__setitem__(0, "<b>"),
    ],
)
def test_a_provenance_or_a_curve_that_is_none_is_no_published_result(
    results: Path, how: Callable[[dict[str, Any]], None]
) -> None:
    with pytest.raises(UserError, match="not a published result"):
        change(results, how)


def test_a_submission_changed_after_it_was_accepted_is_found(copy: Copy, results: Path) -> None:
    copy.arrays.write_bytes(copy.arrays.read_bytes()[:-30] + bytes(8) + copy.arrays.read_bytes()[-22:])
    assert any("is not the file that was packed" in str(finding) for finding in drift(results))
    copy.document.write_text(copy.document.read_text().replace("An author", "Another"))
    assert any("was changed after it was packed" in str(finding) for finding in drift(results))


def test_a_submission_that_cannot_be_read_is_found(copy: Copy, results: Path) -> None:
    copy.document.write_text("{")
    assert ["is not plain JSON" in str(finding) for finding in drift(results)] == [True]
