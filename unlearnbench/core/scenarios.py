"""The contract of scenarios: which records are deleted, and which are queried to judge the leak."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.matching import matched_negatives
from unlearnbench.core.models import Fitted
from unlearnbench.core.pools import EpisodeSizes, Pools, draw
from unlearnbench.core.records import Step, TrainingSet, among
from unlearnbench.core.seeding import SeedPath


class Role(IntEnum):
    """Why a record is queried."""

    FORGOTTEN = 0
    UNSEEN = 1
    MATCHED = 2
    RETAINED = 3
    ADDED = 4


Sees = Literal["all", "last"]
"""Which unlearned versions of a request an adversary meets: every one, or only the last."""


@dataclass(frozen=True)
class Request:
    """A deletion request: a chain of steps, each giving one unlearned version. Requests branch off the original."""

    steps: tuple[Step, ...]

    @property
    def forgotten(self) -> NDArray[np.int64]:
        """Ids of all records this request deletes, in order."""
        return np.concatenate([step.forget for step in self.steps])

    @property
    def added(self) -> NDArray[np.int64]:
        """Ids of all records this request adds, in order."""
        return np.concatenate([step.add for step in self.steps])


@dataclass(frozen=True)
class Queries:
    """Records to query for one request: ids, their :class:`Role`, and their place among those of the same role."""

    ids: NDArray[np.int64]
    role: NDArray[np.int8]
    position: NDArray[np.int64]

    @classmethod
    def of(cls, by_role: dict[Role, NDArray[np.int64]]) -> Queries:
        """Lay out the ids of each role one after the other."""
        return cls(
            np.concatenate([np.asarray(ids, dtype=np.int64) for ids in by_role.values()]),
            np.concatenate([np.full(len(ids), role, dtype=np.int8) for role, ids in by_role.items()]),
            np.concatenate([np.arange(len(ids), dtype=np.int64) for ids in by_role.values()]),
        )


class Scenario(ABC):
    """What deletion requests look like. ``requests`` is all an author must write.

    ``positive`` and ``negative`` are the roles that an attack has to tell apart. ``sees`` says which unlearned versions
    of a request the adversary meets, beside the original: all are served, but what it does not meet is not observed.
    """

    positive: Role = Role.FORGOTTEN
    negative: Role = Role.UNSEEN
    sees: Sees = "all"

    @abstractmethod
    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath) -> list[Request]:
        """Return ``sizes.requests`` requests on the training records in ``pools.deletable``."""

    @abstractmethod
    def deletions_needed(self, sizes: EpisodeSizes) -> int:
        """Return how many distinct duplicate-free training records the requests of one original consume."""

    def additions_needed(self, sizes: EpisodeSizes) -> int:  # noqa: ARG002 - most scenarios add nothing
        """Return how many records of ``pools.addable`` the requests of one original add together."""
        return 0

    def queries(
        self,
        original: Fitted,
        data: TrainingSet,
        request: Request,
        pools: Pools,
        sizes: EpisodeSizes,
        seeds: SeedPath,
    ) -> Queries:
        """Choose the records to query for one request; the default asks for every role.

        What the request adds is neither unseen nor retained, but a role of its own unless it is forgotten too.
        """
        forgotten = request.forgotten
        changed = np.concatenate([forgotten, request.added])
        unseen, retained = (pool[~among(pool, changed)] for pool in (pools.unseen, pools.deletable))
        return Queries.of(
            {
                Role.FORGOTTEN: forgotten,
                Role.UNSEEN: draw(unseen, sizes.negatives, seeds / "negatives"),
                Role.MATCHED: matched_negatives(original, data, forgotten, unseen, sizes.matched, seeds / "matched"),
                Role.RETAINED: draw(retained, sizes.retained, seeds / "retained"),
                Role.ADDED: request.added[~among(request.added, forgotten)],
            }
        )
