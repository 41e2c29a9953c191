"""The contract of scenarios: which records are deleted, and which are queried."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.arrays import InexactError, ReadOnlyArrays, exact
from unlearnbench.core.matching import matched_negatives
from unlearnbench.core.models import Fitted
from unlearnbench.core.originals import Original
from unlearnbench.core.pools import EpisodeSizes, Pools, draw
from unlearnbench.core.records import Records, Step, among, record_ids
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.versions import Sees


class Role(IntEnum):
    """Why a record is queried."""

    FORGOTTEN = 0
    """The request deletes it."""
    UNSEEN = 1
    """No original of this side was trained on it; drawn at random."""
    MATCHED = 2
    """Unseen, and like a forgotten record."""
    RETAINED = 3
    """In the training set before and after."""
    ADDED = 4
    """The request adds it to the training set."""


@dataclass(frozen=True)
class Request(ReadOnlyArrays):
    """A deletion request: a sequence of steps, starting from the original; each step gives one unlearned version."""

    steps: tuple[Step, ...]
    stratum: NDArray[np.int64] | None = None
    """Ids of the records, trained on or not, that the deleted ones were drawn from; None where from all. Negatives and
    retained records are of it too."""

    def __post_init__(self) -> None:
        if self.stratum is not None:
            vars(self).update(stratum=record_ids("stratum", self.stratum))
        self._make_read_only()

    @property
    def forgotten(self) -> NDArray[np.int64]:
        """Ids of all records this request deletes, in order."""
        return np.concatenate([step.forget for step in self.steps])

    @property
    def added(self) -> NDArray[np.int64]:
        """Ids of all records this request adds, in order."""
        return np.concatenate([step.add for step in self.steps])

    def of_stratum(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those of ``ids`` that are in the stratum, in their order."""
        return ids if self.stratum is None else ids[among(ids, self.stratum)]


def forget_sets_sha256(requests: Sequence[Request]) -> str:
    """Return the checksum of the index lists: of each step of each request, the ids it forgets and those it adds."""
    lists = [[[step.forget.tolist(), step.add.tolist()] for step in request.steps] for request in requests]
    return hashlib.sha256(json.dumps(lists, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True)
class Queries(ReadOnlyArrays):
    """Records to query for one request, each (n,). ValueError where roles or positions are none, or not as many."""

    ids: NDArray[np.int64]
    role: NDArray[np.int8]
    """A :class:`Role`."""
    position: NDArray[np.int64]
    """Index among the records of the same role."""

    def __post_init__(self) -> None:
        try:
            role, position = exact(self.role, np.int8), exact(self.position, np.int64)
        except InexactError as error:
            raise ValueError(f"queries: roles and positions must be integers; {error}") from error
        ids = record_ids("queries", self.ids)
        if not ids.shape == role.shape == position.shape:
            raise ValueError(f"queries: {len(ids)} ids, roles {role.shape} and positions {position.shape}")
        if len(wrong := np.setdiff1d(role, list(Role))):
            raise ValueError(f"queries: {wrong[0]} is no role, which are 0 to {max(Role)}")
        vars(self).update(ids=ids, role=role, position=position)
        self._make_read_only()

    @classmethod
    def of(cls, by_role: dict[Role, NDArray[np.int64]]) -> Queries:
        """Concatenate the ids of all roles."""
        return cls(
            np.concatenate([np.asarray(ids, dtype=np.int64) for ids in by_role.values()]),
            np.concatenate([np.full(len(ids), role, dtype=np.int8) for role, ids in by_role.items()]),
            np.concatenate([np.arange(len(ids), dtype=np.int64) for ids in by_role.values()]),
        )


class Scenario(ABC):
    """A kind of deletion requests. Authors must write ``requests`` and ``deletions_needed``."""

    positive: Role = Role.FORGOTTEN
    """The role that an attack has to distinguish from ``negative``."""
    negative: Role = Role.UNSEEN
    sees: Sees = "all"
    """The unlearned versions that the adversary queries, besides the original. All steps are served in any case."""

    def refusal_of_records(self, records: Records) -> str | None:  # noqa: ARG002 - most work with all records
        """Return why there can be no such requests on this data set, or None where there can."""
        return None

    def eligible(self, records: Records) -> NDArray[np.bool_] | None:  # noqa: ARG002 - most delete any record
        """Return which records (n,) requests may delete, where the data set alone tells; None where all or unknown.

        Whether there are enough is checked before anything is trained.
        """
        return None

    @abstractmethod
    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        """Return ``sizes.requests`` requests on the training records in ``pools.deletable``.

        ``original.data.records`` has features and labels. ``original.fitted`` is the model that was trained on the
        whole training set, whatever the unlearner does: all unlearners get the same requests.
        """

    @abstractmethod
    def deletions_needed(self, sizes: EpisodeSizes) -> int:
        """Return how many records of ``pools.deletable`` the requests of one original delete together."""

    def additions_needed(self, sizes: EpisodeSizes) -> int:  # noqa: ARG002 - most scenarios add nothing
        """Return how many records of ``pools.addable`` the requests of one original add together."""
        return 0

    def queries(
        self,
        request: Request,
        pools: Pools,
        sizes: EpisodeSizes,
        seeds: SeedPath,
        original: Original,
        fitted: Fitted,
    ) -> Queries:
        """Choose the records to query for one request, by default of every role.

        ``fitted`` is the original model that the unlearner starts from, for SISA an ensemble. Records that the request
        adds have the role ``ADDED``, or ``FORGOTTEN`` if it also deletes them.
        """
        forgotten = request.forgotten
        changed = np.concatenate([forgotten, request.added])
        unseen, retained = (request.of_stratum(pool[~among(pool, changed)]) for pool in (pools.unseen, pools.deletable))
        return Queries.of(
            {
                Role.FORGOTTEN: forgotten,
                Role.UNSEEN: draw(unseen, sizes.negatives, seeds / "negatives"),
                Role.MATCHED: matched_negatives(
                    fitted, original.data, forgotten, unseen, sizes.matched, seeds / "matched"
                ),
                Role.RETAINED: draw(retained, sizes.retained, seeds / "retained"),
                Role.ADDED: request.added[~among(request.added, forgotten)],
            }
        )
