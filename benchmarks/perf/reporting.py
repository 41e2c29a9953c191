"""Rows of benchmarks as tables for a terminal or a document, and as JSON for other programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from comparing import Row
from tabulate import tabulate

BEGIN, END = "<!-- begin: written by make bench -->", "<!-- end: written by make bench -->"
HEADINGS = ("kind", "data", "reference, per s", "fast, per s", "ratio", "share of peak", "peak memory", "first call")
ALIGN = ("left", "left", *["right"] * 6)


def tables(rows: Sequence[Row], style: str) -> str:
    """Return the tables of these rows, each under its title, in a style that tabulate knows."""
    return "\n\n".join(
        f"**{title}**\n\n{_table([row for row in rows if row.table == title], style)}"
        for title in dict.fromkeys(row.table for row in rows)
    )


def write_json(rows: Sequence[Row], file: Path) -> None:
    """Write the rows as a JSON list."""
    values = [{"name": row.name, **asdict(row)} for row in rows]
    file.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def write_markdown(rows: Sequence[Row], machine: str, file: Path) -> None:
    """Put the tables between the two marks of a document."""
    head, _, rest = file.read_text(encoding="utf-8").partition(BEGIN)
    _, mark, tail = rest.partition(END)
    if not mark:
        raise ValueError(f"{file} has no lines {BEGIN!r} and {END!r} to write between")
    body = f"Measured on {machine}.\n\n{tables(rows, 'github')}"
    file.write_text(f"{head}{BEGIN}\n\n{body}\n\n{END}{tail}", encoding="utf-8")


def _table(rows: Sequence[Row], style: str) -> str:
    return tabulate([_cells(row) for row in rows], HEADINGS, style, colalign=ALIGN, disable_numparse=True)


def _cells(row: Row) -> list[str]:
    return [
        row.kind,
        row.data,
        _rate(row.reference_per_s),
        _rate(row.fast_per_s),
        f"{row.ratio:.1f}x",
        "" if row.peak_share is None else f"{row.peak_share:.0%}",
        "" if row.peak_mb is None else f"{row.peak_mb:,.0f} MB",
        f"{row.first_call_s:.1f} s" if row.first_call_s > 0.05 else "",
    ]


def _rate(per_s: float) -> str:
    return f"{per_s:,.0f}" if per_s >= 100 else f"{per_s:.3g}"
