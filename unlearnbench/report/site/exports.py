"""The tables as CSV, a line for each number, and JSON, an object for each row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from unlearnbench.core.estimates import Estimate
from unlearnbench.report.formats import csv_text
from unlearnbench.report.publication import Publication
from unlearnbench.report.tracks import Column, TrackRow, TrackTable, by_track, shown_columns

SCHEMA: Final = 1
ABSENT: Final = Estimate.undefined("not measured")
NUMBER: Final = ("value", "low", "high", "n", "status", "reason")
FIELDS: Final = ("track", "dataset", "scenario", "model", "unlearner", "defense", "attack", "role")
HEADER: Final = (*FIELDS, "row_status", "row_reason", "column", "metric", *NUMBER, "best_rank", "worst_rank")


def to_csv(found: Sequence[TrackTable]) -> str:
    """Return one line for each number: what it is of, the number, and its rank where the column has ranks."""
    lines: list[list[object]] = []
    for line, columns in _lines(found):
        for column in columns:
            row = (line.of(column) or line.result).row
            described = [*_names(line, column).values(), row.status, row.note, column.key, column.metric]
            rank = line.ranks.get(column.key, ("", ""))[:2]
            lines.append([*described, *_number(line, column).values(), *rank])
    return csv_text(HEADER, lines)


def _lines(found: Sequence[TrackTable]) -> Iterator[tuple[TrackRow, Sequence[Column]]]:
    """Yield each line with the columns of its track that are shown."""
    for tables in by_track(found).values():
        columns = shown_columns(tables)
        yield from ((row, columns) for table in tables for row in table.rows)


def to_json(publication: Publication, found: Sequence[TrackTable]) -> str:
    """Return the tracks with their columns and rows, and the trials of a tuned suite.

    Parameters and provenance are in ``results.json``.
    """
    tracks = {track.name: _track(tables) for track, tables in by_track(found).items()}
    head = {"schema": SCHEMA, "suite": publication.name, "suite_sha256": publication.suite_sha256}
    trials = {"trials": [trial.to_dict() for trial in publication.trials]} if publication.trials else {}
    return json.dumps(head | {"tracks": tracks} | trials, indent=1, allow_nan=False) + "\n"


def _track(tables: Sequence[TrackTable]) -> dict[str, object]:
    columns = shown_columns(tables)
    return {
        "columns": [{"key": column.key, "title": column.title, "metric": column.metric} for column in columns],
        "rows": [_object(row, columns) for table in tables for row in table.rows],
    }


def _object(line: TrackRow, columns: Sequence[Column]) -> dict[str, object]:
    row = line.result.row
    numbers = {
        column.key: _number(line, column) | {"rank": _rank(line, column)} | _attack(line, column) for column in columns
    }
    access = {"access": line.access} if line.access else {}
    return {**_names(line), **access, "row_status": row.status, "row_reason": row.note, "numbers": numbers}


def _rank(line: TrackRow, column: Column) -> tuple[int, int] | None:
    rank = line.ranks.get(column.key)
    return (rank.best, rank.worst) if rank else None


def _names(line: TrackRow, column: Column | None = None) -> dict[str, str]:
    named = dict(zip(FIELDS, (line.track.name, *(line.names[axis] for axis in FIELDS[1:-1]), line.role), strict=True))
    return named | (_attack(line, column) if column else {})


def _attack(line: TrackRow, column: Column) -> dict[str, str]:
    """Return the attack that a number is of, where it is not that of the line."""
    return {"attack": attack} if (attack := line.attack(column)) else {}


def _number(line: TrackRow, column: Column) -> dict[str, object]:
    estimate = line.estimate(column) or ABSENT
    return {name: getattr(estimate, name) for name in NUMBER}
