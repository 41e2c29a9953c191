"""Print what a change does to the leaderboards, as Markdown: findings of checks, and numbers before and after.

Everything that is read may come from a stranger: it is bounded in size and shown as code, and nothing of it is
executed. Standard library only, so that it runs without an install.

    python .github/scripts/board_changes.py before/leaderboards after/leaderboards --checks checks
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from maintainers import records_of_others

MOST_BYTES = 20_000_000
"""A larger file is not read."""
MOST_FILES = 100
MOST_LINES = 50
"""Lines of each table, and findings of each submission; the rest is counted."""
MOST_NOTES = 10
"""Of each submission: what was not checked, or was compared with what."""
RUN_AGAIN = "run again, "
"""How the note of each cell that was run again begins."""
MOST_CHARACTERS = 200
"""Of one cell or finding."""
MOST_OF_ALL = 60_000
"""Characters of the whole text; GitHub takes 65,536 in a comment."""

MEASURED = (
    *("role", "row_status", "row_reason", "metric", "value", "low", "high", "n"),
    *("status", "reason", "best_rank", "worst_rank"),
)
"""Columns of ``table.csv`` that say what came out. The others, whichever they are, name a number."""

Name: TypeAlias = tuple[str, ...]
Number: TypeAlias = Mapping[str, str]
Board: TypeAlias = Mapping[Name, Number]


@dataclass(frozen=True)
class Change:
    """A number of a board that is not what it was; ``None`` where there is or was none."""

    name: Name
    before: Number | None
    after: Number | None

    def line(self) -> str:
        """Return its line of the table."""
        before, after = shown(self.before), shown(self.after)
        if before == after and self.before and self.after:  # they differ in a place that is not shown
            before, after = (", ".join(each.get(key) or "" for key in MEASURED) for each in (self.before, self.after))
        what = "added" if self.before is None else "removed" if self.after is None else "changed"
        row, column = " / ".join(self.name[:-1]), self.name[-1] if self.name else ""
        return f"| {what} | {code(row)} | {code(column)} | {code(before)} | {code(after)} |"


def code(text: str) -> str:
    """Return any text as code on one line of a table: no markup, link, mention or HTML of it means anything."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    plain = " ".join(plain.replace("`", "'").replace("|", "/").replace("\\", "/").split())
    if len(plain) > MOST_CHARACTERS:
        plain = plain[: MOST_CHARACTERS - 3] + "..."
    return f"`{plain}`" if plain else ""


def shown(number: Number | None) -> str:
    """Return a number as a board shows it: value, interval, rank, or why there is none."""
    if number is None:
        return ""
    if number.get("row_status", "ok") != "ok":
        return f"{number['row_status']}: {number.get('row_reason', '')}"
    if not number.get("value"):
        return f"{number.get('status', '')}: {number.get('reason', '')}"
    text = _rounded(number["value"])
    if number.get("low") and number.get("high"):
        text += f" [{_rounded(number['low'])}, {_rounded(number['high'])}]"
    if number.get("best_rank") and number.get("worst_rank"):
        text += f" #{number['best_rank']}-{number['worst_rank']}"
    return text


def _rounded(text: str) -> str:
    try:
        return f"{float(text):.4f}"
    except ValueError:
        return text


def read_board(file: Path) -> Board:
    """Return the numbers of a ``table.csv`` by what names them."""
    with file.open(encoding="utf-8", newline="") as stream:
        lines = [{key: value or "" for key, value in line.items() if key} for line in csv.DictReader(stream)]
    return {
        tuple(value for key, value in line.items() if key not in MEASURED): {
            key: value for key, value in line.items() if key in MEASURED
        }
        for line in lines
    }


def compare(before: Board, after: Board) -> list[Change]:
    """Return what differs: what changed, what was added, what was removed, each in the order of its board."""
    both = [Change(name, before[name], after[name]) for name in after if name in before]
    added = [Change(name, None, after[name]) for name in after if name not in before]
    removed = [Change(name, before[name], None) for name in before if name not in after]
    return [change for change in both if change.before != change.after] + added + removed


def files_below(folder: Path, pattern: str) -> dict[str, Path]:
    """Return the regular files of bounded size that match, by the name of their folder or their own."""
    found: dict[str, Path] = {}
    for file in sorted(folder.glob(pattern))[:MOST_FILES]:
        inside = file.resolve().is_relative_to(folder.resolve())
        if inside and file.is_file() and file.stat().st_size <= MOST_BYTES:
            found[file.relative_to(folder).parts[0]] = file
    return found


def board_text(name: str, before: Path | None, after: Path | None) -> Iterator[str]:
    """Return what became of one board, line by line."""
    yield f"### {code(name)}"
    yield ""
    try:
        old, new = (read_board(file) if file else {} for file in (before, after))
    except (OSError, ValueError, csv.Error) as error:
        yield f"Its table cannot be read: {code(str(error))}"
        return
    changes = compare(old, new)
    yield f"Numbers that differ: {len(changes)}. As before: {len(old.keys() & new.keys()) - _moved(changes)}."
    if changes:
        yield from ("", "| what | row | number | before | after |", "|---|---|---|---|---|")
        yield from (change.line() for change in changes[:MOST_LINES])
    if len(changes) > MOST_LINES:
        yield from ("", f"And {len(changes) - MOST_LINES} more.")


def entries_text(name: str, before: Path | None, after: Path | None) -> Iterator[str]:
    """Return which entries of a board are new, gone, or not what they were, line by line."""
    try:
        old, new = (read_entries(file) if file else {} for file in (before, after))
    except (OSError, ValueError, KeyError, csv.Error) as error:
        yield f"- {code(name)}: its entries cannot be read: {code(str(error))}"
        return
    changed = [each for each in (old | new) if old.get(each) != new.get(each)]
    for each in changed[:MOST_LINES]:
        was, now = old.get(each, "not there"), new.get(each, "not there")
        yield f"- {code(name)}: entry {code(each)}: {code(now)}, was {code(was)}"
    if len(changed) > MOST_LINES:
        yield f"- and {len(changed) - MOST_LINES} more entries"


def read_entries(file: Path) -> dict[str, str]:
    """Return what an ``entries.csv`` says of each entry, by its id."""
    with file.open(encoding="utf-8", newline="") as stream:
        return {line["id"]: f"{line['status']} {line['reason']} by {line['author']}" for line in csv.DictReader(stream)}


def _moved(changes: Iterable[Change]) -> int:
    return sum(change.before is not None and change.after is not None for change in changes)


def check_text(file: Path) -> Iterator[str]:
    """Return what the check of one submission found, line by line."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        name, findings = str(record["submission"]), [_finding(each) for each in record["findings"]]
        notes = [str(each) for each in record.get("notes", [])]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        yield f"- {code(file.name)}: the result of the check cannot be read"
        return
    many = "1 finding" if len(findings) == 1 else f"{len(findings)} findings"
    yield f"- {code(name)}: {many if findings else 'nothing found'}"
    yield from (f"  - {code(finding)}" for finding in findings[:MOST_LINES])
    if len(findings) > MOST_LINES:
        yield f"  - and {len(findings) - MOST_LINES} more"
    again = [note for note in notes if note.startswith(RUN_AGAIN)]
    yield from [f"  - cells that were run again: {len(again)}"] if notes else []
    yield from (f"  - note: {code(note)}" for note in [note for note in notes if note not in again][:MOST_NOTES])


def records_text(paths: Iterable[str], author_is: str) -> Iterator[str]:
    """Return a warning for each record of maintainers that somebody else brings, line by line."""
    found = records_of_others(paths, author_is)
    yield from (f"- {code(path)} **must not be merged**: maintainers write it" for path in found[:MOST_LINES])
    if len(found) > MOST_LINES:
        yield f"- and {len(found) - MOST_LINES} more records"


def _finding(finding: Mapping[str, Any]) -> str:
    return f"{finding['where']}: {finding['what']}; {finding['remedy']}"


def comment(
    before: Path, after: Path, checks: Path | None = None, paths: Iterable[str] = (), author_is: str = ""
) -> str:
    """Return the whole text; ``paths`` are the files that the pull request changes."""
    lines = ["## Leaderboards", "", *records_text(paths, author_is)]
    records = files_below(checks, "*.json") if checks else {}
    for file in records.values():
        lines += check_text(file)
    old, new = files_below(before, "*/entries.csv"), files_below(after, "*/entries.csv")
    for name in sorted(old.keys() | new.keys()):
        lines += entries_text(name, old.get(name), new.get(name))
    old, new = files_below(before, "*/table.csv"), files_below(after, "*/table.csv")
    names = [name for name in sorted(old.keys() | new.keys()) if _bytes(old.get(name)) != _bytes(new.get(name))]
    for name in names:
        lines += ["", *board_text(name, old.get(name), new.get(name))]
    if not names:
        lines += ["", "No number of any board differs."]
    return _cut("\n".join(lines).replace("\n\n\n", "\n\n") + "\n")


def _bytes(file: Path | None) -> bytes | None:
    return file.read_bytes() if file else None


def _cut(text: str) -> str:
    if len(text) <= MOST_OF_ALL:
        return text
    return text[: text.rindex("\n", 0, MOST_OF_ALL)] + "\n\nThe rest is left out: it is too long.\n"


def main(arguments: list[str] | None = None) -> int:
    """Print the text."""
    parser = argparse.ArgumentParser(description="Print what a change does to the leaderboards, as Markdown.")
    parser.add_argument("before", type=Path, help="the folder of all leaderboards, as it was")
    parser.add_argument("after", type=Path, help="the same, as it is")
    parser.add_argument("--checks", type=Path, help="a folder of JSON files that check_submissions.py wrote")
    parser.add_argument("--files", type=Path, help="a file of the paths that the pull request changes, one a line")
    parser.add_argument("--author-is", default="", help="what its author is to the repository, as GitHub says it")
    given = parser.parse_args(arguments)
    paths = given.files.read_text(encoding="utf-8").splitlines() if given.files else []
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # typed as what a program may replace it with
    sys.stdout.write(comment(given.before, given.after, given.checks, paths, given.author_is))
    return 0


if __name__ == "__main__":
    sys.exit(main())
