"""A later attack that finds more raises the number of earlier entries, and what it was stays readable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from unlearnbench.report.history import history
from unlearnbench.report.leaderboard import build_page
from unlearnbench.report.publication import BoardEntry, Publication
from unlearnbench.report.tracks import TRACKS, TrackRow, tables
from unlearnbench.run.results import Row

MakeRow = Callable[..., Row]


def entry(name: str, date: str, axis: str = "", label: str = "") -> BoardEntry:
    return BoardEntry(f"{name}-1", "ab" * 32, name, f"{name}'s author", date, axis, label, "", {}, "")


@pytest.fixture
def board(row: MakeRow, publication: Publication) -> Publication:
    aucs = {"sorted-diff": 0.6, "euclidean": 0.55, "score-diff": 0.9, "score-ratio": 0.8, "random": 0.99}
    rows = tuple(row(unlearner="sisa", attack=attack, auc=auc) for attack, auc in aucs.items())
    entries = (
        entry("reference", "2026-01-01"),
        entry("later", "2026-03-01", "attack", "score-diff"),
        entry("weaker", "2026-02-01", "attack", "euclidean"),
        entry("last", "2026-04-01", "attack", "score-ratio"),
    )
    return replace(publication, rows=rows, entries=entries)


def line(board: Publication, track: str) -> TrackRow:
    return next(row for t in tables(board.rows, board.roles, TRACKS) if t.track.name == track for row in t.rows)


def test_only_attacks_that_found_more_than_all_before_are_told(board: Publication) -> None:
    told = [(record.date, record.attack, record.auc.value) for record in history(board, line(board, "unlearner"))]
    assert told == [("2026-01-01", "sorted-diff", 0.6), ("2026-03-01", "score-diff", 0.9)]


def test_a_board_shows_what_the_number_was(board: Publication) -> None:
    page = build_page(board)["index.html"]
    assert "was .600" in page
    assert "2026-03-01: .900 [.850, .950] by score-diff (later&#39;s author)" in page


def test_attacks_have_no_history_and_the_rows_of_one_run_none(board: Publication, row: MakeRow) -> None:
    retrained = replace(board, rows=(row(attack="sorted-diff"), row(attack="score-diff", auc=0.9)))
    assert history(retrained, line(retrained, "attack")) == []
    assert len(history(retrained, line(retrained, "unlearner"))) == 2
    assert history(replace(board, entries=()), line(board, "unlearner")) == []
