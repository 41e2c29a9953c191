"""A content-addressed store on disk: results appear whole or not at all, and are verified when read.

An entry is the file ``<store>/<folder>/<key[:2]>/<key>``, see :mod:`unlearnbench.run.entries`. Each kind has a folder
of its own. When what its entries hold changes, it gets another one, and older entries are made again. Failures lie
apart, under ``<store>/failures/``. Reading changes nothing on disk: a damaged entry is set aside when it is made again.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final, Literal, TypeVar, get_args

from unlearnbench.core.errors import UserError, describe_error
from unlearnbench.core.executors import Failure
from unlearnbench.core.hashing import canonical_json
from unlearnbench.core.messages import as_line, one_line
from unlearnbench.run.entries import (
    SCHEMA,
    Array,
    DamagedError,
    Entry,
    OtherSchemaError,
    decode,
    decode_payload,
    encode,
    verify,
)
from unlearnbench.run.whole_files import HeldFiles, WholeFiles

Kind = Literal["episode", "reference", "cell"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
FOLDERS = {"episode": "episode-3", "reference": "reference", "cell": "cell-5"}
"""Where entries of a kind lie, if not in a folder named like the kind."""
KEY: Final = re.compile("[0-9a-f]{64}")
"""The form of a key."""
FLUSHED = {"episode", "reference"}
"""Kinds that are forced to disk. A cell takes milliseconds to make again, less than a flush."""
LONGEST_TRACEBACK = 20_000
"""How many characters of a traceback are kept."""
T = TypeVar("T")
log = logging.getLogger(__name__)


class Store:
    """The store in one directory; created when first written to.

    Raises :class:`UserError` where it is there and cannot be read, or cannot be written. Nothing is lost then.
    """

    def __init__(self, root: Path, files: WholeFiles | None = None) -> None:
        self.root = root
        self._files = files or WholeFiles(root.absolute())  # a plug-in may change the working directory

    def make_ready(self) -> None:
        """Prepare for a run: check that files can be written here, and remove what killed runs had begun to write."""
        self._files.remove_leftovers()

    def has(self, kind: str, key: str) -> bool:
        """Return whether an entry is there, without reading it."""
        return bool(self.stored(kind, [key]))

    def stored(self, kind: str, keys: Iterable[str]) -> set[str]:
        """Return which of these entries are there, without reading them. Folders are listed: keys may be a million."""
        by_folder: dict[str, list[str]] = {}
        for key in keys:
            by_folder.setdefault(key[:2], []).append(key)
        found: set[str] = set()
        for name, some in by_folder.items():
            found |= self._files.names(Path(FOLDERS.get(kind, kind), name)).intersection(some)
        return found

    def keys(self, kind: str) -> Iterator[str]:
        """Yield the keys of all entries of a kind, sound or damaged, without reading them."""
        top = Path(FOLDERS.get(kind, kind))
        for folder in sorted(self._files.folders(top)):
            names = self._files.names(top / folder) | self._files.folders(top / folder)
            yield from sorted(name for name in names if KEY.fullmatch(name) and name[:2] == folder)

    def failed(self, kind: str) -> list[str]:
        """Return the keys of all entries whose failure is recorded."""
        return sorted(name.removesuffix(".json") for name in self._files.names(Path("failures", kind)))

    def put(self, kind: str, key: str, payload: Mapping[str, object], arrays: Mapping[str, Array]) -> None:
        """Publish an entry atomically. If another process was first, its equal entry stays.

        Raises TypeError or ValueError for what no entry can hold; nothing is written then.
        """
        place, parts = self._place(kind, key), encode(kind, key, payload, arrays)
        if not self._is_sound(kind, key):
            self._files.set_aside(place)
            self._files.write(place, parts, flush=kind in FLUSHED)
        self._files.remove(self._failure_place(kind, key))

    def get(self, kind: str, key: str) -> Entry | None:
        """Return a verified entry, or None where there is none or a damaged one, which is reported."""
        return self._reported(kind, key, self._entry)

    def payload(self, kind: str, key: str) -> Mapping[str, object] | None:
        """Return the plain data of an entry as :meth:`get` does, without reading its arrays."""
        return self._reported(kind, key, self._payload)

    def sound_payload(self, kind: str, key: str) -> Mapping[str, object] | None:
        """Return the plain data of an entry all of which matches its checksums, as :meth:`get` does."""
        return self._reported(kind, key, self._verified)

    def damage(self, kind: str, key: str) -> str:
        """Return why an entry is damaged; "" where it is sound, or there is none."""
        try:
            self._entry(kind, key)
        except DamagedError as error:
            return as_line(str(error))
        return ""

    def set_damaged_aside(self, kind: str, key: str) -> bool:
        """Rename an entry if it is damaged, so that it is made again; return whether it was.

        Nobody else writes meanwhile: a sound entry that another run puts in its place just now stays.
        """
        with self._files.nobody_else_writes():
            damaged = bool(self.damage(kind, key))
            if damaged:
                self._files.set_aside(self._place(kind, key))
        return damaged

    def drop(self, kind: str, key: str) -> None:
        """Remove an entry and the record of its failure, if there are any."""
        self._files.remove(self._place(kind, key))
        self._files.remove(self._failure_place(kind, key))

    def fail(self, kind: str, key: str, failure: Failure) -> None:
        """Record why an entry could not be made: the reason as one short line, whatever it holds."""
        told = Failure(failure.status, as_line(failure.reason), _storable(failure.traceback))
        self._files.write(self._failure_place(kind, key), [canonical_json(asdict(told)).encode()], flush=True)

    def failure(self, kind: str, key: str) -> Failure | None:
        """Return the recorded failure, if any. A damaged record counts as none, so the work is tried again."""
        content = self._files.read(self._failure_place(kind, key))
        if content is None:
            return None
        try:
            return Failure(**json.loads(content))
        except (TypeError, ValueError, RecursionError) as error:
            log.warning("the record of a failure is damaged and counts as none: %s (%s)", key, describe_error(error))
            return None

    def held(self, wanted: Iterable[tuple[Kind, str]]) -> Store:
        """Return a store that holds these entries, or why they failed, in memory; it can be read on another machine."""
        places = (place for each in wanted for place in (self._place(*each), self._failure_place(*each)))
        return Store(self.root, HeldFiles.of(self._files, places))

    def _reported(self, kind: str, key: str, read: Callable[[str, str], T]) -> T | None:
        try:
            return read(kind, key)
        except DamagedError as error:
            log.warning("the %s entry %s is damaged and has to be made again (%s)", kind, key, error)
            return None

    def _is_sound(self, kind: str, key: str) -> bool:
        try:
            return self._entry(kind, key) is not None
        except DamagedError:
            return False

    def _entry(self, kind: str, key: str) -> Entry | None:
        content = self._files.read(self._place(kind, key))
        return None if content is None else self._decoded(decode, content, kind, key)

    def _verified(self, kind: str, key: str) -> Mapping[str, object] | None:
        content = self._files.read(self._place(kind, key))
        return None if content is None else self._decoded(verify, content, kind, key)[0]

    def _payload(self, kind: str, key: str) -> Mapping[str, object] | None:
        line = self._files.read_line(self._place(kind, key))
        return None if line is None else self._decoded(decode_payload, line, kind, key)

    def _decoded(self, decode: Callable[[bytes, str, str], T], content: bytes, kind: str, key: str) -> T:
        try:
            return decode(content, kind, key)
        except OtherSchemaError as error:
            raise UserError(
                f"an entry has schema {error}, and this version of unlearnbench reads {SCHEMA}; give another store",
                as_line(str(self.root), 100),
            ) from None

    def _place(self, kind: str, key: str) -> Path:
        return Path(FOLDERS.get(kind, kind), key[:2], key)

    def _failure_place(self, kind: str, key: str) -> Path:
        return Path("failures", kind, f"{key}.json")


def _storable(trace: str) -> str:
    """Return a traceback with all that cannot be printed escaped, without the middle of a very long one."""
    half = LONGEST_TRACEBACK // 2
    kept = trace if len(trace) <= 2 * half else f"{trace[:half]}\n...\n{trace[-half:]}"
    return "\n".join(map(one_line, kept.split("\n")))
