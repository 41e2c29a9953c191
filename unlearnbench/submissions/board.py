"""The board of a suite: the union of its accepted entries, from what they claim and their acceptance confirmed.

Nothing is computed from scores: that their metrics are right was found when each was checked, and a digest says that it
is what was checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from unlearnbench.core.errors import UserError
from unlearnbench.core.hashing import canonical_json
from unlearnbench.hooks.registry import Registry, load_registry
from unlearnbench.report.hidden import Hidden
from unlearnbench.report.publication import RESULTS, BoardEntry, Publication, RocCurve
from unlearnbench.report.roles import Roles
from unlearnbench.run.outcomes import Outcomes
from unlearnbench.run.results import Row, complete
from unlearnbench.run.validity import ValidityTests
from unlearnbench.submissions.accepted import ACCEPT_AGAIN, Acceptance, accepted_among
from unlearnbench.submissions.arrays import FILE
from unlearnbench.submissions.claims import claims
from unlearnbench.submissions.elsewhere import is_there, read_beside
from unlearnbench.submissions.findings import CellId, Finding, RefusedError, listed_ids, skipped_id, where_cell
from unlearnbench.submissions.reading import DOCUMENT, Submission, other_file, read_claims
from unlearnbench.submissions.schema import Document
from unlearnbench.suite.model import AXES, Axis, PluginRef


@dataclass(frozen=True)
class AcceptedEntry:
    """An accepted submission with the record of its acceptance."""

    document: Document
    acceptance: Acceptance

    @property
    def order(self) -> tuple[bool, str, str]:
        """What entries of a board are sorted by: the reference entry, then the earlier one."""
        return self.document.entry is not None, self.acceptance.date, self.document.id


def read_boards(root: Path) -> tuple[dict[Path, Publication], list[Finding]]:
    """Return every board below a folder by the folder that its files are in, and what keeps them from being built.

    A board of entries has a folder within it for each earlier version of its suite.
    """
    boards: dict[Path, Publication] = {}
    found: list[Finding] = []
    for folder in sorted(path for path in root.glob("*") if path.is_dir()):
        entries, problems = read_entries(folder)
        found += problems
        if not entries and (folder / RESULTS).exists():
            boards[folder] = Publication.read(folder / RESULTS)
        hidden = Hidden.read(folder)
        for number, publication in enumerate([] if problems else publications(entries)):
            own = hidden if hidden and hidden.suite_sha256 == publication.suite_sha256 else None
            place = folder / f"version-{publication.version}" if number else folder
            boards[place] = replace(publication, hidden=own)
    return boards, found


def without_arrays(root: Path) -> list[Path]:
    """Return the folders of accepted submissions below a folder of boards whose arrays are elsewhere."""
    accepted = (folder for each in sorted(root.glob("*/submissions")) for folder in accepted_among(each))
    return [folder for folder in accepted if not is_there(folder / FILE)]


def read_entries(folder: Path) -> tuple[list[AcceptedEntry], list[Finding]]:
    """Return the accepted entries of a board, and what of them is not as it was accepted."""
    entries: list[AcceptedEntry] = []
    found: list[Finding] = []
    builtin = load_registry(discover=False)
    for each in accepted_among(folder / "submissions"):
        try:
            claims = read_claims(each)
            acceptance = Acceptance.read(each)
        except RefusedError as error:
            found += error.findings
            continue
        except UserError as error:
            found.append(Finding(str(each), str(error), ACCEPT_AGAIN))
            continue
        entry = AcceptedEntry(claims.document, acceptance)
        found += [*claims.findings, *_other_arrays(each, claims.document), *_mismatches(str(each), entry, builtin)]
        entries.append(entry)
    return sorted(entries, key=lambda entry: entry.order), found


def _other_arrays(folder: Path, document: Document) -> Iterator[Finding]:
    """Find arrays that are not those of the metadata; none need be here, since tables are made without them."""
    if is_there(folder / FILE):
        yield from other_file(document, read_beside(folder))


def _mismatches(where: str, entry: AcceptedEntry, builtin: Registry) -> Iterator[Finding]:
    """Find what of an acceptance is not of its submission, or is not what built-in plug-ins declare."""
    document, acceptance = entry.document, entry.acceptance
    if (document.id, document.digest) != (acceptance.id, acceptance.digest):
        yield Finding(where, "is another submission than was accepted: its id or digest is another", ACCEPT_AGAIN)
    if len(acceptance.outcomes) != len(document.groups):
        yield Finding(where, "its record has the outcomes of another submission", ACCEPT_AGAIN)
    roles = _roles(acceptance)
    if changed := roles.changed(builtin):
        yield Finding(where, f"its record declares {changed[0]} otherwise than the plug-in does", ACCEPT_AGAIN)
    known = {axis: {ref.label for ref in acceptance.plugins.get(axis, [])} for axis in AXES}
    for name in _names(document):
        if any(label not in known[axis] for axis, label in zip(AXES, name, strict=False)):
            yield Finding(where_cell(name), "its record lacks a plug-in of this cell", ACCEPT_AGAIN)
            return


def _names(document: Document) -> Iterator[CellId]:
    for part in document.groups:
        yield from listed_ids(part)
    yield from map(skipped_id, document.skipped)


def standing(submission: Submission) -> Iterator[Finding]:
    """Find what keeps a submission from its place on the board: its plug-in has an entry, or it supersedes none."""
    document = submission.document
    entries, _ = read_entries(submission.folder.parents[1])
    others = {
        entry.document.id: entry.document
        for entry in entries
        if entry.document.id != document.id and entry.acceptance.status == "accepted"
    }
    replaced = {other.supersedes for other in others.values()} | {document.supersedes}
    earlier = others.get(document.supersedes)
    if document.supersedes and (earlier is None or _place(earlier)[1:] != _place(document)[1:]):
        what = f"supersedes {document.supersedes}, which is no accepted entry of this plug-in here"
        yield Finding(DOCUMENT, what, "name the entry that it takes the place of: pack --supersedes ID")
    elif earlier is not None and earlier.author != document.author:
        yield Finding(DOCUMENT, f"supersedes an entry of another author, {earlier.author}", "enter other parameters")
    for other in others.values():
        if _place(other) == _place(document) and other.id not in replaced:
            what = f"{document.entry.label if document.entry else 'the reference entry'} has an entry, {other.id}"
            yield Finding(DOCUMENT, what, "pack it with --supersedes that id, or enter other parameters")


def _place(document: Document) -> tuple[str, str, str]:
    part = document.entry
    return (document.suite_sha256, *((part.axis, part.label) if part else ("", "")))


def publications(entries: Sequence[AcceptedEntry]) -> list[Publication]:
    """Return a board for each version of the suite that there are entries of, the newest first: none mixes two."""
    versions: dict[str, list[AcceptedEntry]] = {}
    for entry in entries:
        versions.setdefault(entry.document.suite_sha256, []).append(entry)
    found = [_publication(group) for group in versions.values()]
    return sorted(found, key=lambda publication: publication.version, reverse=True)


def _publication(entries: Sequence[AcceptedEntry]) -> Publication:
    superseded = {entry.document.supersedes: entry for entry in entries if entry.acceptance.status == "accepted"}
    superseded.pop("", None)
    listed = [_board_entry(entry, superseded) for entry in entries]
    shown = [entry for entry, one in zip(entries, listed, strict=True) if one.status == "accepted"]
    suite, roles = entries[0].document.suite, _union(_roles(entry.acceptance) for entry in shown)
    registry = load_registry(discover=False)
    tests = ValidityTests.of(roles.plugins.get("attack", {}), registry)
    return Publication(
        suite,
        entries[0].document.suite_sha256,
        entries[0].document.environment,
        roles,
        tuple(complete(_in_order(shown, suite), tests)),
        tuple(listed),
        tuple(_curve(form.model_dump()) for entry in shown for form in entry.acceptance.curves),
    )


def _curve(data: Mapping[str, object]) -> RocCurve:
    return RocCurve(**{key: tuple(value) if isinstance(value, list) else value for key, value in data.items()})  # type: ignore[arg-type]  # as its form has it


def _board_entry(entry: AcceptedEntry, superseded: Mapping[str, AcceptedEntry]) -> BoardEntry:
    document, acceptance, later = entry.document, entry.acceptance, superseded.get(entry.document.id)
    part = document.entry
    plugin = next((one for one in document.plugins if part and (one.kind, one.name) == (part.axis, part.name)), None)
    withdrawn = acceptance.status == "withdrawn"
    return BoardEntry(
        document.id,
        document.digest,
        document.name,
        document.author,
        acceptance.date,
        part.axis if part else "",
        part.label if part else "",
        f"{plugin.distribution} {plugin.version}, revision {plugin.revision}" if plugin else "",
        document.environment,
        document.tuned,
        "withdrawn" if withdrawn else "superseded" if later else "accepted",
        acceptance.reason if withdrawn else f"by {later.document.id}" if later else "",
        acceptance.nonce,
        tuple(acceptance.rerun),
    )


def _roles(acceptance: Acceptance) -> Roles:
    return Roles.from_dict(acceptance.model_dump(include={"roles"}, exclude_unset=True)["roles"])


def _union(each: Iterable[Roles]) -> Roles:
    found: dict[str, dict[str, object]] = {axis: {} for axis in AXES}
    for roles in each:
        for axis, plugins in roles.plugins.items():
            found[axis] = {**plugins, **found[axis]}
    return Roles(found)  # type: ignore[arg-type]  # roles by name


def _in_order(entries: Sequence[AcceptedEntry], suite: Mapping[str, object]) -> list[Row]:
    """Return the rows of all entries, each cell once, plug-ins as the suite lists them, then as they were entered."""
    rows: dict[CellId, Row] = {}
    for entry in entries:
        for row in _rows(entry):
            rows.setdefault((*row.names.values(), str(row.seed)), row)
    order = {axis: _order(axis, suite, rows.values()) for axis in AXES}
    return sorted(rows.values(), key=lambda row: (*(order[axis][row.axes[axis].label] for axis in AXES), row.seed))


def _order(axis: Axis, suite: Mapping[str, object], rows: Iterable[Row]) -> dict[str, int]:
    """Return the place of each label: first those that the suite lists."""
    listed = cast("list[Mapping[str, object]]", suite[f"{axis}s"])
    places: dict[str, int] = {}
    for ref in listed:
        places.setdefault(canonical_json([ref["name"], ref["params"]]), len(places))
    refs = {row.axes[axis].label: row.axes[axis] for row in rows}
    keys = {label: canonical_json([ref.name, dict(ref.params)]) for label, ref in refs.items()}
    ordered = sorted(refs, key=lambda label: places.get(keys[label], len(places)))
    return {label: number for number, label in enumerate(ordered)}


def _rows(entry: AcceptedEntry) -> Iterator[Row]:
    """Yield the rows of an entry's own cells, one for each seed."""
    document, acceptance = entry.document, entry.acceptance
    refs = {
        axis: {ref.label: PluginRef(axis, ref.name, ref.params, ref.label) for ref in found}
        for axis, found in acceptance.plugins.items()
    }

    def axes(name: CellId) -> dict[str, PluginRef]:
        return {axis: refs[axis][label] for axis, label in zip(AXES, name, strict=False)}

    for part, counts in zip(document.groups, acceptance.outcomes, strict=True):
        outcomes = Outcomes(*counts) if counts else None
        for number, name in enumerate(listed_ids(part)):
            if document.owns(name):
                yield Row(axes(name), part.seed, metrics=claims(document, part, number), outcomes=outcomes)
    for cell in document.skipped:
        name = skipped_id(cell)
        if document.owns(name):
            yield Row(axes(name), cell.seed, "skipped", cell.reason)
