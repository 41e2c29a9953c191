"""Records of acceptance, and what was changed after one was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.submissions.house import House
from unlearnbench.submissions.accepted import Acceptance, accept
from unlearnbench.submissions.board import read_entries

Change = Callable[[dict[str, Any]], None]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data.update(digest="0" * 64), "is another submission than was accepted"),
        (lambda data: data.update(date="yesterday"), "is no record of an acceptance (date"),
        (lambda data: data.update(more=1), "is no record of an acceptance (more"),
        (lambda data: data["outcomes"].pop(), "the outcomes of another submission"),
        (lambda data: data["plugins"]["attack"].pop(), "lacks a plug-in of this cell"),
        (lambda data: data["roles"]["attack"]["random"].update(role="entry"), "declares attack random otherwise"),
        (lambda data: data["roles"]["attack"]["blind"].pop("tests_sample"), "declares attack blind otherwise"),
        (lambda data: data["curves"][0]["tpr"].__setitem__(0, 2.0), "is no record of an acceptance (curves"),
        (lambda data: data["curves"][0]["fpr"].__setitem__(0, "<b>"), "is no record of an acceptance (curves"),
    ],
)
def test_a_record_changed_by_hand_is_found(house: House, change: Change, told: str) -> None:
    (file,) = house.board.glob("submissions/reference-*/accepted.json")
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))
    assert any(told in str(finding) for finding in read_entries(house.board)[1])


def test_a_record_without_end_is_not_read(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unlearnbench.submissions.accepted.MOST_BYTES", 100)
    assert all("more than 100 bytes" in str(finding) for finding in read_entries(house.board)[1])


def test_a_submission_changed_after_it_was_accepted_is_found(house: House) -> None:
    (file,) = house.board.glob("submissions/reference-*/submission.json")
    file.write_text(file.read_text().replace("Ada", "Eve"))
    assert any("was changed after it was packed" in str(finding) for finding in read_entries(house.board)[1])
    file.write_text("{")
    assert any("is not plain JSON" in str(finding) for finding in read_entries(house.board)[1])


def test_accepting_again_gives_the_same_bytes_and_keeps_the_date(house: House) -> None:
    (folder,) = house.board.glob("submissions/unlearner-sisa-shards-2-*")
    record = Acceptance.read(folder).model_copy(update={"date": "2020-01-02"})
    file = record.write(folder)
    before, report = file.read_bytes(), house.check(folder)
    assert report.context is not None
    accept(report.context, report.rows, "spring", ["run again, compared to the bit: a cell"])
    assert file.read_bytes() == before
