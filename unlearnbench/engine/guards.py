"""What a method is handed of an original and of deletions: what it does not declare raises when it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unlearnbench.core.originals import Original
from unlearnbench.core.records import Records, TrainingSet
from unlearnbench.engine.access import Access

if TYPE_CHECKING:
    from unlearnbench.engine.unlearners import Deletion


def guard_original(original: Original, access: Access) -> Original:
    """Return this original with sets that raise AccessError where a method reads what it does not declare.

    Its own training set counts as the retain set, most of which it is. Its records are also those to be forgotten: to
    read them a method declares both sets.
    """
    return original if access.sees is None else _Guard(original, access).original


def guard_deletions(deletions: Sequence[Deletion], access: Access) -> list[Deletion]:
    """Return these deletions with sets that raise AccessError where a method reads what it does not declare."""
    if access.sees is None:
        return list(deletions)
    originals = {id(deletion.original): deletion.original for deletion in deletions}
    guards = {key: _Guard(original, access) for key, original in originals.items()}
    return [guards[id(deletion.original)].deletion(deletion) for deletion in deletions]


class _Guard:
    """What one method may read of an original, and of deletions from it."""

    def __init__(self, original: Original, access: Access) -> None:
        self._given, self._access = original, access
        self._readable = np.zeros(len(original.data.records), dtype=np.bool_)
        """Which records (n,) the method declares without any deletion."""
        if access.allows("validation-set"):
            self._readable[original.validation_ids] = True
        if access.allows("retain-set") and access.allows("forget-set"):
            self._readable[original.data.kept_ids] = True
        self.original = self._original(access.guard_records(original.data.records, self._readable))

    def deletion(self, deletion: Deletion) -> Deletion:
        """Return a deletion that is guarded."""
        original = self._original_of({"retain-set": deletion.retain, "forget-set": deletion.forget})
        return replace(
            deletion,
            retain=self._set("retain-set", deletion.retain, original),
            forget=self._set("forget-set", deletion.forget, original),
            original=original,
        )

    def _original_of(self, sets: Mapping[str, TrainingSet]) -> Original:
        """Return the original of which the records of declared sets can be read too: the same one where they can be."""
        ids = [data.kept_ids for name, data in sets.items() if self._access.allows(name)]
        if all(self._readable[each].all() for each in ids):
            return self.original
        readable = self._readable.copy()
        readable[np.concatenate(ids)] = True
        return self._original(self._access.guard_records(self._given.data.records, readable))

    def _original(self, records: Records) -> Original:
        data = self._access.guard("retain-set", replace(self._given.data, records=records))
        validation_ids = self._access.guard("validation-set", self._given.validation_ids)
        return replace(self._given.share(validation_ids), data=data)

    def _set(self, name: str, data: TrainingSet, original: Original) -> Any:
        """Return a set of a deletion, whose records are those of the guarded original."""
        records = original.data.records
        reference = data.reference and (
            original.data if data.reference is self._given.data else replace(data.reference, records=records)
        )
        return self._access.guard(name, TrainingSet(records, data.ids, data.mask, reference))
