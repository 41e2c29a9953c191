"""Methods across boards: every line in which a plug-in is an entry, with who is significantly better and worse."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from unlearnbench.report.publication import BoardEntry, Publication
from unlearnbench.report.tracks import TRACKS, Column, Rank, TrackRow, by_track, shown_columns, tables


@dataclass(frozen=True)
class MethodLine:
    """One line of a board in which a method is an entry."""

    board: str
    """The name of the board."""
    path: str
    """Where its page is, from the root of the site."""
    line: TrackRow
    columns: Sequence[Column]
    entry: BoardEntry | None

    @property
    def id(self) -> str:
        """The permalink of the line on its board's page."""
        return row_id(self.line)

    @property
    def place(self) -> str:
        """Where the line is measured, apart from its board and track."""
        return ", ".join((self.line.model, *reversed(self.line.setting)))

    @property
    def ranks(self) -> list[tuple[Column, Rank]]:
        """The columns in which it is ranked."""
        return [(column, self.line.ranks[column.key]) for column in self.columns if column.key in self.line.ranks]


@dataclass(frozen=True)
class Method:
    """A plug-in with its parameters, and its lines on all boards."""

    axis: str
    label: str
    lines: Sequence[MethodLine]

    @property
    def id(self) -> str:
        """The name of its page."""
        return slug(self.axis, self.label)

    @property
    def wins(self) -> list[tuple[MethodLine, Column, Rank]]:
        """Where it is significantly better than another entry and no other is significantly better than it."""
        return [(line, *one) for line in self.lines for one in line.ranks if one[1].ahead and not one[1].behind]

    @property
    def losses(self) -> list[tuple[MethodLine, Column, Rank]]:
        """Where another entry is significantly better."""
        return [(line, *one) for line in self.lines for one in line.ranks if one[1].behind]


def slug(*words: str) -> str:
    """Return a name for addresses: words in plain letters, and a digest, since labels differ in signs only too."""
    plain = re.sub(r"[^a-z0-9]+", "-", words[-1].lower()).strip("-")[:40]
    return f"{words[0]}-{plain}-{sha256(chr(10).join(words).encode()).hexdigest()[:6]}"


def row_id(line: TrackRow) -> str:
    """Return the permalink of a line: the same whatever other entries its board has."""
    return slug(line.track.name, *line.setting, line.model, line.entry)


def methods_of(boards: Mapping[str, Publication]) -> list[Method]:
    """Return the methods of boards, which are given by the paths of their pages; unlearners first."""
    found: dict[tuple[str, str], list[MethodLine]] = {}
    for path, publication in boards.items():
        for track, group in by_track(tables(publication.rows, publication.roles, TRACKS)).items():
            columns = shown_columns(group)
            for line in (row for table in group for row in table.shown if row.role == "entry"):
                entry = publication.entry_of(track.compares, line.entry)
                one = MethodLine(publication.title, path, line, columns, entry)
                found.setdefault((track.compares, line.entry), []).append(one)
    order = ("unlearner", "attack", "defense", "model")
    return [Method(*name, found[name]) for name in sorted(found, key=lambda name: (order.index(name[0]), name[1]))]
