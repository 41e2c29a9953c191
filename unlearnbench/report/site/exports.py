"""The standard tables as data, a line a number in CSV and an object a row in JSON; and text made safe for documents."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from unlearnbench.core.estimates import Estimate
from unlearnbench.report.publication import Publication
from unlearnbench.report.site.tracks import COLUMNS, TRACKS, Column, Line, Sample

SCHEMA: Final = 1
ABSENT: Final = Estimate.undefined("not measured")
NUMBER: Final = ("value", "low", "high", "n", "status", "reason")
FIELDS: Final = ("track", "dataset", "scenario", "model", "unlearner", "defense", "attack", "role")
HEADER: Final = (*FIELDS, "row_status", "row_reason", "column", "metric", *NUMBER, "best_rank", "worst_rank")

LATEX: Final = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        **{character: f"\\{character}" for character in "#$%&_{}"},
    }
)
MARKDOWN: Final = str.maketrans({"|": r"\|", "<": "&lt;", ">": "&gt;", "`": "'", "\n": " ", "\r": " "})


def latex_text(text: str) -> str:
    """Return text that LaTeX sets as it is."""
    return text.translate(LATEX)


def markdown_text(text: str) -> str:
    """Return text that opens no HTML and no cell where Markdown shows it."""
    return text.translate(MARKDOWN)


def to_csv(found: Sequence[Sample]) -> str:
    """Return one line a number: where it stands, the number, and the ranks where the column has them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for line in lines(found):
        for column in COLUMNS[line.track]:
            number = _number(line, column)
            row = (line.source if (source := line.of(column)) is None else source).row
            told = [*_place(line).values(), row.status, row.reason, column.key, column.metric]
            writer.writerow([*told, *number.values(), *line.ranks.get(column.key, ("", ""))[:2]])
    return text.getvalue()


def to_json(publication: Publication, found: Sequence[Sample]) -> str:
    """Return the tracks with their columns and lines; parameters and provenance stand in ``results.json``."""
    tracks = {
        track: {
            "columns": [
                {"key": column.key, "title": column.title, "metric": column.metric} for column in COLUMNS[track]
            ],
            "rows": [_object(line) for line in lines(found) if line.track == track],
        }
        for track in TRACKS
    }
    head = {"schema": SCHEMA, "suite": publication.name, "suite_sha256": publication.suite_sha256}
    return json.dumps(head | {"tracks": tracks}, indent=1, allow_nan=False) + "\n"


def lines(found: Iterable[Sample]) -> Iterator[Line]:
    """Yield all lines, track by track."""
    found = list(found)
    return (line for track in TRACKS for sample in found for line in sample.lines[track])


def _object(line: Line) -> dict[str, object]:
    row = line.source.row
    numbers = {column.key: _number(line, column) | {"rank": _rank(line, column)} for column in COLUMNS[line.track]}
    return {**_place(line), "row_status": row.status, "row_reason": row.reason, "numbers": numbers}


def _rank(line: Line, column: Column) -> tuple[int, int] | None:
    rank = line.ranks.get(column.key)
    return (rank.best, rank.worst) if rank else None


def _place(line: Line) -> dict[str, str]:
    return dict(zip(FIELDS, (line.track, *(line.names[axis] for axis in FIELDS[1:-1]), line.role), strict=True))


def _number(line: Line, column: Column) -> dict[str, object]:
    estimate = line.estimate(column) or ABSENT
    return {name: getattr(estimate, name) for name in NUMBER}
