from __future__ import annotations

import csv
import io
import json

import pytest

from unlearnbench.report.leaderboard import latex, page
from unlearnbench.report.publication import Publication
from unlearnbench.report.site.exports import to_csv, to_json
from unlearnbench.report.tracks import TRACKS, by_track, tables


@pytest.fixture(scope="module")
def table(publication: Publication) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(to_csv(tables(publication.rows, publication.roles, TRACKS)))))


def test_csv_has_a_line_for_each_number_of_each_track(publication: Publication, table: list[dict[str, str]]) -> None:
    found = by_track(tables(publication.rows, publication.roles, TRACKS))
    assert [track.name for track in found] == ["attack", "unlearner", "defense"]
    assert len(table) == sum(len(group.rows) * len(group.columns) for (group,) in found.values())
    assert all(line["row_status"] and line["role"] and (line["value"] or line["reason"]) for line in table)


def test_csv_gives_ranks_where_the_column_has_them(table: list[dict[str, str]]) -> None:
    (line,) = (
        line
        for line in table
        if (line["track"], line["attack"], line["model"], line["column"])
        == ("attack", "euclidean", "decision-tree", "auc")
    )
    assert (line["best_rank"], line["worst_rank"], line["role"]) == ("2", "3", "entry")
    assert float(line["value"]) == pytest.approx(0.8)
    assert float(line["low"]) < 0.8 < float(line["high"])


def test_csv_tells_why_a_row_has_no_number(table: list[dict[str, str]]) -> None:
    failed = [line for line in table if line["attack"] == "euclidean(k=1)"]
    assert {(line["row_status"], line["row_reason"], line["value"]) for line in failed} == {
        ("failed", "seed 0: <i>no</i> luck", "")
    }


def test_json_and_csv_say_the_same(publication: Publication, table: list[dict[str, str]]) -> None:
    data = json.loads(to_json(publication, tables(publication.rows, publication.roles, TRACKS)))
    assert (data["suite"], data["suite_sha256"], list(data["tracks"])) == (
        "made-up",
        "abc123",
        ["attack", "unlearner", "defense"],
    )
    told = [
        (row["track"], row["model"], row["attack"], key, number["value"], number["rank"])
        for track in data["tracks"].values()
        for row in track["rows"]
        for key, number in row["numbers"].items()
    ]
    assert told == [
        (
            line["track"],
            line["model"],
            line["attack"],
            line["column"],
            float(line["value"]) if line["value"] else None,
            [int(line["best_rank"]), int(line["worst_rank"])] if line["best_rank"] else None,
        )
        for line in table
    ]


def test_latex_opens_nothing_that_it_does_not_close(publication: Publication) -> None:
    text = latex(publication, tables(publication.rows, publication.roles, TRACKS))
    for word in ("table", "tabular"):
        assert text.count(f"\\begin{{{word}}}") == text.count(f"\\end{{{word}}}") == 4
    assert r"\textless{}b\textgreater{}fast" in text
    assert r"\#2-3" in text
    assert "95 % confidence" in text.splitlines()[1]  # a comment: there it needs no backslash


def test_markdown_shows_names_and_runs_none(publication: Publication) -> None:
    text = page(publication, tables(publication.rows, publication.roles, TRACKS))
    assert "<script" not in text
    assert "&lt;script&gt;throw 1&lt;/script&gt;" in text
    assert "Made up & &lt;u&gt;marked up&lt;/u&gt;." in text


def test_data_name_the_attack_that_a_highest_number_is_of(
    publication: Publication, table: list[dict[str, str]]
) -> None:
    line = next(line for line in table if line["column"] == "highest" and line["unlearner"] == "sisa")
    rows = json.loads(to_json(publication, tables(publication.rows, publication.roles, TRACKS)))["tracks"]["unlearner"]
    row = next(row for row in rows["rows"] if row["unlearner"] == "sisa")
    assert row["numbers"]["highest"]["attack"] == line["attack"]
    assert "attack" not in row["numbers"]["deletion-inference"]
