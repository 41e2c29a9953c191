"""A content-addressed store on disk: results appear whole or not at all, and are verified when read.

An entry lies at ``<store>/<folder>/<key[:2]>/<key>/``: ``manifest.json`` and one ``.npy`` per array, no pickle. Each
kind has a folder of its own. When what its entries hold changes, it gets another one, and older entries are made again.
An entry is written to a temporary directory and renamed into place, so a kill at any moment leaves either the whole
entry or none. Only an episode's manifest is forced to disk: should the power fail, what is short does not match its
checksum.
Failures lie apart, under ``<store>/failures/``.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Failure
from unlearnbench.core.hashing import canonical_json

SCHEMA = 1
FOLDERS = {"cell": "cell-3"}
"""Where entries of a kind lie, if not in a folder named like the kind."""
T = TypeVar("T")
Array = NDArray[np.generic]
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Entry:
    """A stored result."""

    payload: Mapping[str, object]
    """Plain data."""
    arrays: Mapping[str, Array]
    """Arrays by name, mapped from their files."""


class Store:
    """The store in one directory; created when first written to."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._remove_leftovers()

    def has(self, kind: str, key: str) -> bool:
        """Return whether an entry is there, without reading it."""
        return (self._place(kind, key) / "manifest.json").exists()

    def stored(self, kind: str, keys: Iterable[str]) -> set[str]:
        """Return which of these entries are there. Folders are listed first: most of a million keys need no look-up."""
        by_folder: dict[str, list[str]] = {}
        for key in keys:
            by_folder.setdefault(key[:2], []).append(key)
        found: set[str] = set()
        for name, some in by_folder.items():
            folder = self.root / FOLDERS.get(kind, kind) / name
            listed = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
            found.update(key for key in some if key in listed and self.has(kind, key))
        return found

    def put(self, kind: str, key: str, payload: Mapping[str, object], arrays: Mapping[str, Array]) -> None:
        """Publish an entry atomically. If another process was first, its equal entry stays."""
        scratch = self._scratch()
        digests = {name: _write_array(scratch / f"{name}.npy", array) for name, array in arrays.items()}
        manifest = {"schema": SCHEMA, "kind": kind, "key": key, "payload": payload, "arrays": digests}
        text = canonical_json({**manifest, "sha256": _sha256(canonical_json(manifest).encode())})
        if kind == "episode":
            _write_flushed(scratch / "manifest.json", text.encode())
        else:  # a cell takes milliseconds to make again, less than a flush
            (scratch / "manifest.json").write_bytes(text.encode())
        place = self._place(kind, key)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            scratch.replace(place)
        except OSError:
            if not self.has(kind, key):
                raise
            shutil.rmtree(scratch)
        self._failure_file(kind, key).unlink(missing_ok=True)

    def get(self, kind: str, key: str) -> Entry | None:
        """Return a verified entry, or None where there is none. A damaged one is set aside and reported."""
        return self._verified(kind, key, _read)

    def payload(self, kind: str, key: str) -> Mapping[str, object] | None:
        """Return the plain data of an entry as :meth:`get` does, without reading its arrays."""
        manifest = self._verified(kind, key, _read_manifest)
        return None if manifest is None else cast(Mapping[str, object], manifest["payload"])

    def _verified(self, kind: str, key: str, read: Callable[[Path, str, str], T]) -> T | None:
        place = self._place(kind, key)
        if not self.has(kind, key):
            return None
        try:
            return read(place, kind, key)
        except (OSError, EOFError, ValueError, KeyError) as error:
            self._set_aside(place, kind, error)
            return None

    def drop(self, kind: str, key: str) -> None:
        """Remove an entry and the record of its failure, if there are any."""
        shutil.rmtree(self._place(kind, key), ignore_errors=True)
        self._failure_file(kind, key).unlink(missing_ok=True)

    def fail(self, kind: str, key: str, failure: Failure) -> None:
        """Record why an entry could not be made."""
        file = self._failure_file(kind, key)
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch = file.with_suffix(f".{uuid.uuid4().hex}")
        _write_flushed(scratch, canonical_json(asdict(failure)).encode())
        scratch.replace(file)

    def failure(self, kind: str, key: str) -> Failure | None:
        """Return the recorded failure, if any. A damaged record counts as none, so the work is tried again."""
        file = self._failure_file(kind, key)
        if not file.exists():
            return None
        try:
            return Failure(**json.loads(file.read_bytes()))
        except (TypeError, ValueError) as error:
            log.warning("the damaged record of a failure was removed: %s (%s)", file, error)
            file.unlink(missing_ok=True)
            return None

    def _set_aside(self, place: Path, kind: str, error: Exception) -> None:
        aside = self.root / "damaged" / f"{place.name}-{uuid.uuid4().hex[:8]}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        place.replace(aside)
        log.warning("a damaged %s entry was set aside at %s and will be made again (%s)", kind, aside, error)

    def _scratch(self) -> Path:
        scratch = self.root / "tmp" / f"{os.getpid()}-{uuid.uuid4().hex}"
        try:
            scratch.mkdir(parents=True)
        except OSError as error:
            raise UserError(
                f"cannot write to the store: {error.strerror}; give another one with --store", str(self.root)
            ) from error
        return scratch

    def _place(self, kind: str, key: str) -> Path:
        return self.root / FOLDERS.get(kind, kind) / key[:2] / key

    def _failure_file(self, kind: str, key: str) -> Path:
        return self.root / "failures" / kind / f"{key}.json"

    def _remove_leftovers(self) -> None:
        """Remove what processes that ended had begun to write."""
        for scratch in (self.root / "tmp").glob("*-*"):
            pid = scratch.name.partition("-")[0]
            if pid.isdecimal() and not _alive(int(pid)):
                shutil.rmtree(scratch, ignore_errors=True)


class SharedStore(Store):
    """A store that only another process writes to. Leftovers and damaged entries stay where they are."""

    def _set_aside(self, place: Path, kind: str, error: Exception) -> None:
        log.warning("a damaged %s entry is left to the next run: %s (%s)", kind, place, error)

    def _remove_leftovers(self) -> None:
        """Leave them: they belong to the process that writes."""


def _read(place: Path, kind: str, key: str) -> Entry:
    manifest = _read_manifest(place, kind, key)
    arrays = {name: _read_array(place / f"{name}.npy", digest) for name, digest in manifest["arrays"].items()}
    return Entry(manifest["payload"], arrays)


def _read_manifest(place: Path, kind: str, key: str) -> dict[str, Any]:
    manifest = json.loads((place / "manifest.json").read_bytes())
    if not isinstance(manifest, dict):
        raise ValueError("manifest is not a mapping")
    claimed = manifest.pop("sha256")
    if manifest["schema"] != SCHEMA or _sha256(canonical_json(manifest).encode()) != claimed:
        raise ValueError("manifest does not match its checksum")
    if (manifest["kind"], manifest["key"]) != (kind, key):
        raise ValueError(f"manifest is that of {manifest['kind']} {manifest['key']}")
    return manifest


def _read_array(file: Path, digest: str) -> Array:
    if _sha256(file.read_bytes()) != digest:
        raise ValueError(f"{file.name} does not match its checksum")
    array: Array = np.load(file, mmap_mode="r", allow_pickle=False)
    return array


def _write_array(file: Path, array: Array) -> str:
    np.save(file, array, allow_pickle=False)
    return _sha256(file.read_bytes())


def _write_flushed(file: Path, content: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
