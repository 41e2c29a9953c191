"""What lies in the folder of a store: entries, and what no run reads any more."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from unlearnbench.core.errors import UserError
from unlearnbench.run.store import FOLDERS, KEY, KINDS, Store

Category = Literal["episode", "reference", "cell", "failure", "unfinished", "damaged", "outdated", "foreign"]
"""Entries by kind; records of failures; what is being written, or was when a run was killed; what was damaged and set
aside; entries as earlier versions kept them; what is not of the store."""
UNREAD: Final[tuple[Category, ...]] = ("damaged", "outdated")
"""What no run reads; ``unfinished`` is left to :meth:`Store.make_ready`, which knows whether somebody is writing."""
_OUTDATED: Final = re.compile(rf"({'|'.join(KINDS)})(-\d+)?|damaged")
"""The folders of earlier versions."""


@dataclass(frozen=True)
class Stored:
    """How much there is of one category."""

    files: int
    bytes: int


def contents(store: Store) -> dict[Category, Stored]:
    """Return what a store holds; UserError where the folder is no store."""
    files: Counter[Category] = Counter()
    sizes: Counter[Category] = Counter()
    for category, file in _files(store):
        files[category] += 1
        sizes[category] += file.lstat().st_size
    return {category: Stored(files[category], sizes[category]) for category in get_args(Category)}


@dataclass(frozen=True)
class Damage:
    """An entry that is not what was written, and why."""

    kind: str
    key: str
    reason: str


def damaged_entries(store: Store) -> list[Damage]:
    """Read every entry; return those that do not match their checksums. A run may go on meanwhile."""
    refuse_unless_store(store)
    found = (Damage(kind, key, store.damage(kind, key)) for kind in KINDS for key in store.keys(kind))
    return [damage for damage in found if damage.reason]


def set_damaged_aside(store: Store) -> list[Damage]:
    """Rename damaged entries, so that the next run that needs them makes them again; return what was renamed.

    Sound entries stay as they are. A run may go on meanwhile.
    """
    return [damage for damage in damaged_entries(store) if store.set_damaged_aside(damage.kind, damage.key)]


def remove_unread(store: Store) -> Stored:
    """Remove what no run reads; return how much it was. A run may go on meanwhile."""
    found = [file for category, file in _files(store) if category in UNREAD]
    size = sum(file.lstat().st_size for file in found)
    for file in found:
        file.unlink(missing_ok=True)
    store.make_ready()
    return Stored(len(found), size)


def _files(store: Store) -> Iterator[tuple[Category, Path]]:
    refuse_unless_store(store)
    for folder, _, names in os.walk(store.root):
        for name in names:
            file = Path(folder, name)
            parts = file.relative_to(store.root).parts
            if parts != ("lock",):
                yield _category(parts), file


def _category(parts: tuple[str, ...]) -> Category:
    """Return the category of a file from its path in the store."""
    top = parts[0]
    if any(".damaged-" in part for part in parts):
        return "damaged"
    if top in ("tmp", "failures"):
        return "unfinished" if top == "tmp" else "failure"
    for kind in KINDS:
        if top == FOLDERS[kind]:
            return kind if _is_place(parts[1:]) else "foreign"
    return "outdated" if _OUTDATED.fullmatch(top) else "foreign"


def _is_place(parts: tuple[str, ...]) -> bool:
    """Say whether this path in the folder of a kind is that of an entry."""
    return len(parts) == 2 and KEY.fullmatch(parts[1]) is not None and parts[1].startswith(parts[0])


def refuse_unless_store(store: Store) -> None:
    """Raise UserError where the folder holds nothing that a store does."""
    root = store.root
    names = {entry.name for entry in root.iterdir()} if root.is_dir() else set()
    if not names & {*FOLDERS.values(), *KINDS, "failures"}:
        raise UserError("this folder is no store of results; give the one that --store names", str(root))
