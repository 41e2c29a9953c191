"""Opens a submission that may be hostile: files of bounded size are read into memory, nothing else happens."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final, NoReturn

from pydantic import ValidationError

from unlearnbench.core.errors import UserError
from unlearnbench.core.messages import one_line
from unlearnbench.submissions import arrays
from unlearnbench.submissions.arrays import PACK_AGAIN, ArrayFile
from unlearnbench.submissions.elsewhere import WantedFile, read_regular
from unlearnbench.submissions.findings import Finding, RefusedError, refuse
from unlearnbench.submissions.schema import SCHEMA, Document, digest_of, id_of

DOCUMENT: Final = "submission.json"
ACCEPTED: Final = "accepted.json"
"""The record of whoever accepted it, which is no part of it and is read by nobody who checks it."""
MOST_BYTES: Final = 16 * 2**20
"""Of the metadata."""
ASK_REFERENCE: Final = "put it where the board's reference entry is, or pack the run again there"
_MOST_REPORTED = 20


@dataclass(frozen=True, eq=False)
class Claims:
    """What a submission says of itself; its arrays were not read."""

    folder: Path
    """Where it lies."""
    document: Document
    reference: Document | None
    """The metadata of the reference entry with which it shares; None where it shares nothing."""
    findings: Sequence[Finding]
    """What is wrong with its place and digests."""


@dataclass(frozen=True, eq=False)
class Submission:
    """A submission that is what it says in form; whether its numbers are right is not known yet."""

    folder: Path
    document: Document
    arrays: ArrayFile
    elsewhere: Path | None = None
    """Where files of arrays are that are not beside their metadata."""


def read_submission(folder: Path, elsewhere: Path | None = None) -> tuple[Submission, list[Finding]]:
    """Read a folder; return what it holds and what is wrong with its place and digests.

    Raises :class:`UserError` where there is no such folder, :class:`RefusedError` where it cannot be read further.
    """
    claims = read_claims(folder)
    found, document = list(claims.findings), claims.document
    try:
        packed = _wanted(document).read(claims.folder, elsewhere)
        found += other_file(document, packed)
        packed_arrays = ArrayFile(packed, document.arrays, _shared(claims, elsewhere))
        return Submission(claims.folder, document, packed_arrays, elsewhere), found
    except RefusedError as error:
        raise RefusedError([*found, *error.findings]) from error


def read_claims(folder: Path) -> Claims:
    """Read what a submission claims, without its arrays. Raises as :func:`read_submission`."""
    if not os.path.lexists(folder):
        raise UserError("there is no such folder; give that of one submission", str(folder))
    if folder.is_symlink() or not folder.is_dir():
        what = "is not a folder of its own"
        raise refuse(one_line(folder.name), what, "give the folder itself, links are not followed")
    folder = Path(os.path.realpath(folder))  # its place is where it lies, by whatever path it is given
    if strangers := list(_strangers(folder)):
        raise RefusedError(strangers)
    data = _json(_content(folder))
    document = _document(data)
    found = [*_place(folder, document), *_digests(_digest(data), document)]
    try:
        reference = _reference(folder, document)
    except RefusedError as error:
        raise RefusedError([*found, *error.findings]) from error
    return Claims(folder, _completed(document, reference), reference, found)


def read_document(folder: Path) -> Document:
    """Read the metadata of a submission alone; :class:`RefusedError` where they are none."""
    document = _document(_json(_content(folder)))
    return _completed(document, _reference(folder, document))


def _completed(document: Document, reference: Document | None) -> Document:
    """Return metadata with the estimates of the reference entry that they share before their own."""
    if reference is None:
        return document
    return document.model_copy(update={"estimates": [*reference.estimates, *document.estimates]})


def _reference(folder: Path, document: Document) -> Document | None:
    """Return the metadata of the reference entry that a submission names, which is beside it and as it was.

    None where it names none.
    """
    if (part := document.shared) is None:
        return None
    try:
        data = _json(_content(folder.parent / part.entry))
        found = _document(data)
    except RefusedError as error:
        raise refuse(DOCUMENT, f"shares with {part.entry}, which is not beside it", ASK_REFERENCE) from error
    same = (found.arrays, len(found.estimates), _digest(data)) == (part.arrays, part.estimates, part.digest)
    if found.shared or not same:
        raise refuse(DOCUMENT, f"shares with {part.entry}, which is another than it was", ASK_REFERENCE)
    return found


def _content(folder: Path) -> bytes:
    return read_regular(folder / DOCUMENT, DOCUMENT, MOST_BYTES, "enter a smaller suite")


def _strangers(folder: Path) -> Iterator[Finding]:
    """Find files that are none of a submission."""
    with os.scandir(folder) as entries:
        names = {entry.name for entry in islice(entries, _MOST_REPORTED)}
    for name in sorted(names - {DOCUMENT, arrays.FILE, ACCEPTED}):
        remedy = f"leave only {DOCUMENT} and {arrays.FILE} there"
        yield Finding(one_line(name)[:100], "does not belong to a submission", remedy)


def other_file(document: Document, packed: bytes) -> Iterator[Finding]:
    """Find that the file of arrays is not the one of the metadata."""
    if (len(packed), hashlib.sha256(packed).hexdigest()) != (document.arrays_bytes, document.arrays_sha256):
        yield Finding(arrays.FILE, "is not the file that was packed: its size or sha256 is another", PACK_AGAIN)


def _shared(claims: Claims, elsewhere: Path | None) -> ArrayFile | None:
    """Return the arrays of the reference entry that a submission names; None where it names none."""
    part, reference = claims.document.shared, claims.reference
    if part is None or reference is None:
        return None
    packed = _wanted(reference).read(claims.folder.parent / part.entry, elsewhere)
    if found := list(other_file(reference, packed)):
        raise RefusedError(replace(one, where=f"{part.entry}/{one.where}") for one in found)
    return ArrayFile(packed, part.arrays)


def _wanted(document: Document) -> WantedFile:
    return WantedFile(document.arrays_sha256, document.arrays_bytes, document.arrays_address)


def _json(content: bytes) -> dict[str, Any]:
    try:
        data = json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise refuse(DOCUMENT, f"is not plain JSON ({one_line(str(error))[:200]})", PACK_AGAIN) from error
    if not isinstance(data, dict):
        raise refuse(DOCUMENT, "is not a JSON object", PACK_AGAIN)
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("a key is there twice")
    return data


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _document(data: dict[str, Any]) -> Document:
    if type(data.get("schema")) is int and data["schema"] != SCHEMA:
        what = f"its schema {data['schema']} is not the one that this version reads, {SCHEMA}"
        raise refuse(DOCUMENT, what, "use the version that packed it, or pack the run again with this one")
    try:
        return Document.model_validate(data)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False, include_input=False)
        raise RefusedError(
            Finding(f"{DOCUMENT}:{one_line('.'.join(map(str, e['loc'])))[:200]}", e["msg"][:300], PACK_AGAIN)
            for e in errors[:_MOST_REPORTED]
        ) from None


def _place(folder: Path, document: Document) -> Iterator[Finding]:
    """Compare the path with what the metadata says it is."""
    wanted = (document.suite_name, "submissions", document.id)
    if folder.parts[-3:] != wanted:
        yield Finding(
            one_line(folder.name)[:100],
            f"its path ends in {one_line('/'.join(folder.parts[-3:]))[:200]}",
            f"its metadata make it {one_line('/'.join(wanted))[:200]}: put it there",
        )


def _digest(data: dict[str, Any]) -> str:
    try:
        return digest_of(data)
    except (ValueError, RecursionError) as error:  # half a character, a number beyond all floats, thousands of levels
        raise refuse(DOCUMENT, "holds what no suite holds, and has no digest", PACK_AGAIN) from error


def _digests(digest: str, document: Document) -> Iterator[Finding]:
    if digest != document.digest:
        yield Finding(DOCUMENT, "was changed after it was packed: the digest is another", PACK_AGAIN)
    if document.id != id_of(document.name, document.digest):
        yield Finding(DOCUMENT, "its id is not made of its name and digest", PACK_AGAIN)
