"""What all verbs print with: text, tables, JSON and help pages."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Final

import typer

from unlearnbench.core.messages import counted, escaped

NO_MARKUP: Final = None
"""Help pages are plain text: rich would be imported to draw boxes."""


def new_app(summary: str, examples: Sequence[str] = ()) -> typer.Typer:
    """Return a group of verbs with the settings that all groups share."""
    return typer.Typer(
        help=summary,
        epilog=epilog(*examples),
        add_completion=False,
        rich_markup_mode=NO_MARKUP,
        pretty_exceptions_enable=False,
    )


def epilog(*examples: str) -> str:
    r"""Return the end of a help page: one example a line. The ``\b`` prevents that they are re-wrapped."""
    return "\n".join(["\b", "Examples:", *(f"  {example}" for example in examples)]) if examples else ""


def echo(text: str = "", err: bool = False) -> None:
    """Print text, which may have several lines. What a terminal would act on is escaped, whoever wrote it."""
    stream = sys.stderr if err else sys.stdout
    if stream is not None:  # as it is where a process is started without
        stream.write("\n".join(map(escaped, text.split("\n"))) + "\n")
        stream.flush()


def print_table(rows: Iterable[Iterable[object]], headers: Sequence[str] = (), width: int | None = None) -> None:
    """Print rows in aligned columns. Cells wider than ``width`` characters are wrapped; None wraps none."""
    from unlearnbench.report.formats import table

    echo(table(rows, headers, "plain", width))


def finding_count(n: int) -> str:
    """Return how many findings there are in words."""
    return counted(n, "finding") if n else "nothing found"


def print_json(value: object) -> None:
    """Print plain data as JSON, in ASCII: the same on every terminal, and nothing in it acts on one."""
    echo(json.dumps(value, indent=2, allow_nan=False).replace("\x7f", r"\u007f"))
