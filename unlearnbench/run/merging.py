"""Bringing the entries of several stores into one, as the shards of a run need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import is_measured
from unlearnbench.run.cell_results import MEASURED
from unlearnbench.run.entries import Entry
from unlearnbench.run.store import KINDS, Store

LEFT_ASIDE: Final = ("environment", MEASURED)
"""What an entry tells of where it was made, and of which measurements its own are."""


@dataclass(frozen=True)
class Merged:
    """What came of merging one store into another."""

    copied: int = 0
    """Entries that the other store did not have."""
    present: int = 0
    """Entries that it had, with equal results."""
    damaged: int = 0
    """Entries that could not be read. They stay where they are."""
    failures: int = 0
    """Records of failures that the other store did not have."""


def merge(source: Store, into: Store) -> Merged:
    """Copy the entries of a store that another one does not have, and the records of failures.

    UserError where both have results for one key that differ in more than wall times and memory: one of them is wrong,
    or they come from different libraries or processors. What was copied before stays.
    """
    found = Merged()
    for kind in KINDS:
        for key in source.keys(kind):
            found = _merge_entry(source, into, kind, key, found)
        for key in source.failed(kind):
            if (failure := source.failure(kind, key)) and not into.has(kind, key) and into.failure(kind, key) is None:
                into.fail(kind, key, failure)
                found = replace(found, failures=found.failures + 1)
    return found


def _merge_entry(source: Store, into: Store, kind: str, key: str, found: Merged) -> Merged:
    entry = source.get(kind, key)
    if entry is None:
        return replace(found, damaged=found.damaged + 1)
    other = into.get(kind, key)
    if other is None:
        into.put(kind, key, entry.payload, entry.arrays)
        return replace(found, copied=found.copied + 1)
    if not same_results(entry, other):
        raise UserError(
            f"{source.root} and {into.root} hold different results of one {kind} ({key[:12]}): they were made with "
            "other libraries or on another kind of processor; merge stores of one environment"
        )
    return replace(found, present=found.present + 1)


def same_results(one: Entry, other: Entry) -> bool:
    """Say whether two entries hold the same bits, what is measured of the machine and the environment left aside."""
    return _plain(one.payload) == _plain(other.payload) and _bits(one) == _bits(other)


def _plain(payload: object) -> object:
    """Return plain data without what is measured of the machine, and where."""
    if isinstance(payload, Mapping):
        return {name: _plain(value) for name, value in payload.items() if not _differs(name)}
    return [_plain(item) for item in payload if not _differs(item)] if isinstance(payload, list) else payload


def _differs(name: object) -> bool:
    return isinstance(name, str) and (is_measured(name) or name in LEFT_ASIDE)


def _bits(entry: Entry) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    return {
        name: (array.dtype.str, array.shape, np.ascontiguousarray(array).tobytes())
        for name, array in entry.arrays.items()
    }
