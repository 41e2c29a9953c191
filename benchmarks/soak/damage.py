"""What a bad disk, a bad copy or a careless hand does to entries of a store."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

from soak.runs import entries

Damage = Callable[[Path, random.Random], None]


def cut(entry: Path, rng: random.Random) -> None:
    """Truncate a file."""
    content = entry.read_bytes()
    entry.write_bytes(content[: rng.randrange(len(content))])


def flip(entry: Path, rng: random.Random) -> None:
    """Change one bit."""
    content = bytearray(entry.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    entry.write_bytes(content)


def exchange(entry: Path, rng: random.Random) -> None:
    """Put another entry in its place."""
    others = sorted(other for other in entries(entry.parents[2]) if other != entry and other.is_file())
    if others:
        shutil.copyfile(rng.choice(others), entry)


def put_a_folder_there(entry: Path, _: random.Random) -> None:
    """Put a folder in the place of a file."""
    entry.unlink()
    entry.mkdir()


def remove(entry: Path, _: random.Random) -> None:
    """Remove a file."""
    entry.unlink()


DAMAGES: tuple[Damage, ...] = (cut, flip, exchange, put_a_folder_there, remove)


def damage_some(store: Path, rng: random.Random) -> int:
    """Damage up to three entries; return how many."""
    found = sorted(entry for entry in entries(store) if entry.is_file())
    chosen = rng.sample(found, min(len(found), rng.randint(0, 3)))
    for entry in chosen:
        if entry.stat().st_size:
            rng.choice(DAMAGES)(entry, rng)
    return len(chosen)
