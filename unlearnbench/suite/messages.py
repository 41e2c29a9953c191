"""Values of a suite file in error messages."""

from __future__ import annotations

from unlearnbench.core.errors import one_line

__all__ = ["one_line", "shown"]


def shown(value: object) -> str:
    """Describe a value briefly, in the words of a suite file."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"' if len(value) <= 60 else f'"{value[:57]}..."'
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return str(value)
