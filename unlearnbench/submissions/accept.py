"""Makes a board of a checked submission, and finds differences between a board and its submission."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.registry import load_registry
from unlearnbench.report.publication import Accepted, Publication
from unlearnbench.report.roles import Roles
from unlearnbench.run.results import Row, complete
from unlearnbench.run.validity import ValidityTests
from unlearnbench.submissions.claims import claims, same_metrics
from unlearnbench.submissions.context import CheckContext
from unlearnbench.submissions.curves import curves
from unlearnbench.submissions.findings import CellId, Finding, RefusedError, listed_ids, where_cell
from unlearnbench.submissions.reading import read_submission
from unlearnbench.submissions.rerun import RUN_AGAIN
from unlearnbench.submissions.schema import Document

ACCEPT_AGAIN: Final = "make the board again: leaderboard check FOLDER --accept"


def accept(context: CheckContext, rows: Sequence[Row], nonce: str = "", rerun: Sequence[str] = ()) -> Path:
    """Write the computed ``rows`` of a submission without findings as its board's ``results.json``; return it.

    ``rerun`` are the lines of the cells that were run again, drawn by ``nonce``. The same check writes the same bytes.
    """
    document, folder = context.submission.document, context.submission.folder
    cells = tuple(line.removeprefix(f"{RUN_AGAIN}, ") for line in rerun)
    accepted = Accepted(document.id, document.digest, document.name, document.author, nonce, cells)
    roles = Roles.of(context.plan.full, context.instances.registry)
    published = Publication(
        document.suite,
        document.suite_sha256,
        document.environment,
        roles,
        tuple(rows),
        accepted,
        curves(context, rows, roles),
    )
    return published.write(folder.parents[2])


def drift(results: Path) -> list[Finding]:
    """Compare a ``results.json`` with the submission that it names: digests, suite, environment and every metric.

    Nothing is computed from scores: that their metrics are right was found when the submission was checked. A board
    that names no submission has none to drift from.
    """
    publication = Publication.read(results)
    if publication.submission is None:
        return []
    folder = results.parent / "submissions" / publication.submission.id
    try:
        submission, found = read_submission(folder)
    except UserError:
        return [Finding(str(results), f"its submission {folder.name} is not beside it", ACCEPT_AGAIN)]
    except RefusedError as error:
        return list(error.findings)
    return [
        *found,
        *(Finding(*one, ACCEPT_AGAIN) for one in _mismatches(str(results), publication, submission.document)),
    ]


def _mismatches(file: str, publication: Publication, document: Document) -> Iterator[tuple[str, str]]:
    named = publication.submission
    own = (document.id, document.digest, document.name, document.author)
    if named and (named.id, named.digest, named.name, named.author) != own:
        yield file, "names another digest, name or author than the submission has"
    if (publication.suite_sha256, publication.suite) != (document.suite_sha256, document.suite):
        yield file, "is of another suite than its submission"
    if publication.environment != document.environment:
        yield file, "has another environment than its submission"
    if not _declared(publication.roles, document):
        yield file, "its plug-ins have other roles than the submission declares"
    yield from ((where_cell(name), "results.json and submission differ") for name in _differing(publication, document))
    registry = load_registry(discover=False)
    if changed := publication.roles.changed(registry):
        yield file, f"declares {changed[0]} otherwise than its record does"
    if not _follow(publication.rows, ValidityTests.of(publication.roles.plugins.get("attack", {}), registry)):
        yield file, "its means over seeds, or its rows marked invalid, do not follow from its rows"


def _declared(roles: Roles, document: Document) -> bool:
    """Say whether controls are controls, and attacks query the versions that they say, where a submission has that."""
    for part in document.plugins:
        found = roles.plugins.get(part.kind, {}).get(part.name)
        if found and "control" in part.declares and part.declares["control"] != (found.role == "control"):
            return False
        if found and "versions" in part.declares and part.declares["versions"] != found.versions:
            return False
    return True


def _differing(publication: Publication, document: Document) -> Iterator[CellId]:
    """Yield cells that have other metrics on the board than in the submission, or are in one of them only."""
    rows = {(*row.names.values(), str(row.seed)): row for row in publication.rows if row.seed is not None}
    for part in document.groups:
        for number, name in enumerate(listed_ids(part)):
            row = rows.pop(name, None)
            try:
                claimed = claims(document, part, number)
            except KeyError:
                claimed = {}
            if row is None or not same_metrics(claimed, row.metrics):
                yield name
    left = {name for name, row in rows.items() if row.status != "skipped"}
    yield from sorted(left)


def _follow(rows: Sequence[Row], tests: ValidityTests) -> bool:
    """Say whether means and invalid rows are those that follow from the other rows."""
    plain = [
        replace(row, status="ok", reason="") if row.status == "invalid" else row for row in rows if row.seed is not None
    ]
    made = complete(plain, tests)
    return len(made) == len(rows) and all(map(_equal, made, rows))


def _equal(one: Row, other: Row) -> bool:
    return (one.names, one.seed, one.status) == (other.names, other.seed, other.status) and same_metrics(
        one.metrics, other.metrics
    )
