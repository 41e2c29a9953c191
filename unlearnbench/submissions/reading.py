"""Opens a submission that may be hostile: two files of bounded size are read into memory, nothing else happens."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, NoReturn

from pydantic import ValidationError

from unlearnbench.core.errors import UserError
from unlearnbench.core.messages import one_line
from unlearnbench.submissions import arrays
from unlearnbench.submissions.arrays import PACK_AGAIN, ArrayFile
from unlearnbench.submissions.findings import Finding, RefusedError, refuse
from unlearnbench.submissions.schema import SCHEMA, Document, digest_of, id_of

DOCUMENT: Final = "submission.json"
MOST_BYTES: Final = {DOCUMENT: 16 * 2**20, arrays.FILE: arrays.MOST_BYTES}
"""The files of a submission, and the most bytes each may have."""
ACCEPTED: Final = "accepted.json"
"""The record of whoever accepted it, which is no part of it and is read by nobody who checks it."""
_MOST_REPORTED = 20


@dataclass(frozen=True, eq=False)
class Submission:
    """A submission that is what it says in form; whether its numbers are right is not known yet."""

    folder: Path
    document: Document
    arrays: ArrayFile


def read_submission(folder: Path) -> tuple[Submission, list[Finding]]:
    """Read a folder; return what it holds and what is wrong with its place and digests.

    Raises :class:`UserError` where there is no such folder, :class:`RefusedError` where it cannot be read further.
    """
    if not os.path.lexists(folder):
        raise UserError("there is no such folder; give that of one submission", str(folder))
    if folder.is_symlink() or not folder.is_dir():
        what = "is not a folder of its own"
        raise refuse(one_line(folder.name), what, "give the folder itself, links are not followed")
    folder = Path(os.path.realpath(folder))  # its place is where it lies, by whatever path it is given
    contents = _contents(folder)
    data = _json(contents[DOCUMENT])
    document = _document(data)
    found = [*_place(folder, document), *_digests(_digest(data), document, contents[arrays.FILE])]
    try:
        return Submission(folder, document, ArrayFile(contents[arrays.FILE], document.arrays)), found
    except RefusedError as error:
        raise RefusedError([*found, *error.findings]) from error


def read_document(folder: Path) -> Document:
    """Read the metadata of a submission alone; :class:`RefusedError` where they are none."""
    if found := list(_file(folder / DOCUMENT, MOST_BYTES[DOCUMENT])):
        raise RefusedError(found)
    return _document(_json(_bytes(folder / DOCUMENT, MOST_BYTES[DOCUMENT])))


def _contents(folder: Path) -> dict[str, bytes]:
    """Return the contents of the two files, read once: what is checked is what was read."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in islice(entries, _MOST_REPORTED)]
    findings = [
        Finding(one_line(name)[:100], "does not belong to a submission", f"leave only {' and '.join(MOST_BYTES)} there")
        for name in sorted(set(names) - MOST_BYTES.keys() - {ACCEPTED})
    ]
    findings += [found for name, most in MOST_BYTES.items() for found in _file(folder / name, most)]
    if findings:
        raise RefusedError(findings)
    return {name: _bytes(folder / name, most) for name, most in MOST_BYTES.items()}


def _file(path: Path, most: int) -> Iterator[Finding]:
    try:
        info = path.lstat()
    except FileNotFoundError:
        yield Finding(path.name, "is missing", PACK_AGAIN)
        return
    if not stat.S_ISREG(info.st_mode):
        yield Finding(path.name, "is a link, or no regular file", "put the file itself there; links are not followed")
    elif info.st_size > most:
        yield Finding(path.name, f"has {info.st_size} bytes, at most {most} may be", "enter a smaller suite")


def _bytes(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise refuse(path.name, f"cannot be read ({error.strerror})", "make it readable") from error


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


def _digests(digest: str, document: Document, packed: bytes) -> Iterator[Finding]:
    if hashlib.sha256(packed).hexdigest() != document.arrays_sha256:
        yield Finding(arrays.FILE, "is not the file that was packed: its sha256 is another", PACK_AGAIN)
    if digest != document.digest:
        yield Finding(DOCUMENT, "was changed after it was packed: the digest is another", PACK_AGAIN)
    if document.id != id_of(document.name, document.digest):
        yield Finding(DOCUMENT, "its id is not made of its name and digest", PACK_AGAIN)
