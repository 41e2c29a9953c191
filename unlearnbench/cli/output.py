"""What all verbs print with: tables, JSON, help pages, and files that a user names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

import typer

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


def print_table(rows: Iterable[Iterable[object]], headers: Sequence[str] = (), width: int | None = None) -> None:
    """Print rows in aligned columns. Cells wider than ``width`` characters are wrapped; None wraps none."""
    from tabulate import tabulate

    layout = "simple" if headers else "plain"
    typer.echo(
        tabulate([*map(tuple, rows)], headers=headers, tablefmt=layout, disable_numparse=True, maxcolwidths=width)
    )


def finding_count(n: int) -> str:
    """Return how many findings there are in words."""
    return "nothing found" if n == 0 else "1 finding" if n == 1 else f"{n} findings"


def print_json(value: object) -> None:
    """Print plain data as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
