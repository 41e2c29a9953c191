"""The trials of a tuning are part of its results: as tables, in what is published, and on the board."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.report.leaderboard import build_page
from unlearnbench.report.publication import Publication
from unlearnbench.report.trials import CHOSEN_HEADERS, HEADERS, chosen_lines, trial_lines, trials_csv
from unlearnbench.suite.tuning import TrialRecord

TRIALS = (
    TrialRecord("sisa", 1, {"rate": 1 / 3, "mean": "size"}, 0.123456789, chosen=True),
    TrialRecord("sisa", 2, {"rate": 2.0, "mean": "plain"}, 0.5),
    TrialRecord("<b>fast</b>", 1, {"rate": 1 / 3}, reason="=broken & <i>bad</i>"),
)


@pytest.fixture
def tuned(publication: Publication) -> Publication:
    return replace(publication, suite={**publication.suite, "trials": [trial.to_dict() for trial in TRIALS]})


def test_every_trial_is_a_line_with_what_came_of_it() -> None:
    assert HEADERS == ("unlearner", "trial", "chosen", "objective", "values", "reason")
    assert trial_lines(TRIALS[::2]) == [
        ["sisa", 1, "yes", "0.1235", "rate=0.333, mean=size", ""],
        ["<b>fast</b>", 1, "", "failed", "rate=0.333", "=broken & <i>bad</i>"],
    ]


def test_the_file_has_numbers_in_full() -> None:
    lines = list(csv.DictReader(StringIO(trials_csv(TRIALS))))
    assert [line["objective"] for line in lines] == ["0.123456789", "0.5", "failed"]
    assert lines[0]["values"] == f"rate={1 / 3!r}, mean=size"


def test_of_each_unlearner_it_is_told_how_many_were_tried_and_which_was_chosen() -> None:
    assert CHOSEN_HEADERS == ("unlearner", "trials", "failed", "chosen", "objective", "values")
    assert chosen_lines(TRIALS) == [
        ["sisa", 2, 0, 1, "0.1235", "rate=0.333, mean=size"],
        ["<b>fast</b>", 1, 1, "none", "", ""],
    ]


def test_what_is_published_holds_every_trial(tuned: Publication, tmp_path: Path) -> None:
    read = Publication.read(tuned.write(tmp_path))
    assert read.trials == TRIALS


def test_a_file_without_trials_is_read_as_before(publication: Publication, tmp_path: Path) -> None:
    file = publication.write(tmp_path)
    assert "trials" not in file.read_text()
    assert Publication.read(file).trials == ()


WRONG: list[dict[str, Any]] = [
    {"trial": "1"},
    {"objective": 2.0},
    {"values": {"rate": [1]}},
    {"chosen": 1},
    {"more": 1},
]


@pytest.mark.parametrize("change", WRONG)
def test_a_published_trial_of_another_form_is_refused(
    tuned: Publication, change: dict[str, Any], tmp_path: Path
) -> None:
    file = tuned.write(tmp_path)
    data = json.loads(file.read_text())
    data["suite"]["trials"][0] |= change
    file.write_text(json.dumps(data))
    with pytest.raises(UserError, match=r"not a published result \(ValueError: suite\.trials\.0\."):
        Publication.read(file)


def test_a_board_shows_every_trial_and_escapes_it(tuned: Publication) -> None:
    files = build_page(tuned)
    assert files["trials.csv"] == trials_csv(TRIALS)
    assert json.loads(files["table.json"])["trials"] == [trial.to_dict() for trial in TRIALS]
    assert "### Trials" in files["README.md"]
    assert "[trials.csv](trials.csv)" in files["README.md"]
    assert '<a href="#trials">' in files["index.html"]
    assert "=broken &amp; &lt;i&gt;bad&lt;/i&gt;" in files["index.html"]
    assert all("<i>bad</i>" not in files[name] for name in ("index.html", "README.md"))


def test_a_board_of_what_was_not_tuned_has_no_trials(publication: Publication) -> None:
    files = build_page(publication)
    assert "trials.csv" not in files
    assert "trials" not in json.loads(files["table.json"])
    assert "#trials" not in files["index.html"]
