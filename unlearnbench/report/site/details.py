"""The details of all lines of a page as pieces of markup, of which each that recurs is there once.

Written out, details are two thirds of a board: lines of one unlearner share most numbers, and all share their markup.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from markupsafe import Markup

Part: TypeAlias = "int | str | list[Part]"
"""Markup, its parts one after the other, or the number of a shared part."""

PIECES: Final = re.compile(r"(?:<[^>\d]*>\s*)+|<[^>]*>\s*|[^<]+|<")
"""Tags without numbers that follow one another, a tag with numbers, or the text between tags."""
SHORTEST: Final = 4
"""Shorter pieces take less room than their numbers."""


def packed(markup: Mapping[str, str]) -> dict[str, object]:
    """Return markup by name as parts, in which a number stands for one of the shared parts."""
    lines = Counter(line for text in markup.values() for line in text.splitlines(keepends=True))
    pieces = Counter(piece for line in lines for piece in PIECES.findall(line))
    shared = _Shared(pieces, lines)
    parts = {name: [shared.line(line) for line in text.splitlines(keepends=True)] for name, text in markup.items()}
    return {"shared": shared.parts, "details": parts}


class _Shared:
    """Gives each part that recurs a number when it is first needed."""

    def __init__(self, pieces: Mapping[str, int], lines: Mapping[str, int]) -> None:
        self.parts: list[Part] = []
        self._counts = {"piece": pieces, "line": lines}
        self._numbers: dict[tuple[str, str], int] = {}

    def line(self, line: str) -> Part:
        return self._numbered("line", line, [self._numbered("piece", each, each) for each in PIECES.findall(line)])

    def _numbered(self, kind: str, text: str, part: Part) -> Part:
        if self._counts[kind][text] == 1 or len(text) < SHORTEST:
            return part
        if (kind, text) not in self._numbers:
            self._numbers[kind, text] = len(self.parts)
            self.parts.append(part)
        return self._numbers[kind, text]


def script_data(data: object) -> Markup:
    """Return JSON that no browser takes for the end of a script."""
    from markupsafe import Markup

    return Markup(json.dumps(data, separators=(",", ":")).replace("<", r"\u003c"))  # noqa: S704 escaped
