"""Finds one result that is entered twice: by what it says, however its files are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from unlearnbench.core.estimates import is_measured
from unlearnbench.core.messages import one_line
from unlearnbench.submissions.claims import Claims, claims, same_metrics
from unlearnbench.submissions.findings import CellId, Finding, RefusedError, listed_ids
from unlearnbench.submissions.reading import DOCUMENT, Submission, read_document
from unlearnbench.submissions.schema import Document, GroupPart


def duplicates(submission: Submission) -> Iterator[Finding]:
    """Find submissions beside this one that claim the very same numbers in every cell, times excepted.

    Scores need not be compared: all numbers follow from them. Documents that cannot be read are no results, nor are
    those of another version of the suite; what is superseded may be the same.
    """
    folders = sorted(file.parent for file in submission.folder.parent.glob(f"*/{DOCUMENT}"))
    for other in folders:
        if other == submission.folder or other.is_symlink():
            continue
        if other.name != submission.document.supersedes and _claims_the_same(submission.document, other):
            what = f"has the very results of {one_line(other.name)[:100]} beside it"
            yield Finding(DOCUMENT, what, "enter a result once")


def _claims_the_same(document: Document, folder: Path) -> bool:
    try:
        other = read_document(folder)
        own_cells, other_cells = _cells(document), _cells(other)
        same_suite = document.suite_sha256 == other.suite_sha256
        return (
            same_suite
            and own_cells.keys() == other_cells.keys()
            and all(
                same_metrics(_numbers(document, *own_cells[name]), _numbers(other, *other_cells[name]))
                for name in own_cells
            )
        )
    except (RefusedError, KeyError):
        return False


def _cells(document: Document) -> Mapping[CellId, tuple[GroupPart, int]]:
    """Return the group of each cell, and its number there."""
    return {name: (part, number) for part in document.groups for number, name in enumerate(listed_ids(part))}


def _numbers(document: Document, part: GroupPart, number: int) -> Claims:
    claimed = claims(document, part, number)
    return {name: estimate for name, estimate in claimed.items() if not is_measured(name)}
