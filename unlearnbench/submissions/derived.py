"""Which records a run queries, and their roles: derived from the suite and its seeds, without training.

Membership is never read from a submission. The code that makes episodes runs here with a model that is not trained:
pools, requests, queries and roles are the same, since no seed path depends on the model. Only a scenario that looks at
the original model has that one trained. One role is an exception. Matched negatives depend, for models with regions, on
the model, so their ids come from the submission: they must be unseen records, of the label of a forgotten record of the
request, each once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import Fitted
from unlearnbench.core.observations import Observations
from unlearnbench.core.originals import Original
from unlearnbench.core.pools import side_halves
from unlearnbench.core.records import Step
from unlearnbench.core.scenarios import Role, Scenario
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import State, Unlearner
from unlearnbench.run.cells import CellGroup, EpisodeTask
from unlearnbench.run.episodes import Episode, observe
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.originals import parts_of

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class UniformModel:
    """A model that predicts the uniform distribution for every record."""

    n_classes: int

    @property
    def fitted(self) -> Fitted:
        """The model itself, which is its own state."""
        return self

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the same log-posteriors (n, C) for every record."""
        return np.full((len(x), self.n_classes), -np.log(self.n_classes))


class UntrainedUnlearner(Unlearner):
    """Serves requests without a model."""

    def prepare(self, original: Original) -> State:
        """Return the uniform model."""
        return UniformModel(original.data.n_classes)

    def serve(self, state: State, step: Step, seeds: SeedPath) -> State:  # noqa: ARG002
        """Return the state as it is."""
        return state


@dataclass(frozen=True, eq=False)
class QueriedRows:
    """The queried rows of one side and their requests."""

    rows: Observations
    request: Ids
    """Number of the row's request (n,), counted over all originals."""
    requests: int
    """The number of requests."""

    @classmethod
    def of(cls, rows: Observations) -> QueriedRows:
        """Take rows and number their requests, original by original."""
        number = rows.episode * (rows.request.max(initial=0) + 1) + rows.request
        distinct, request = np.unique(number, return_inverse=True)
        return cls(rows, request, len(distinct))

    @property
    def episode(self) -> Ids:
        """The original of each request (requests,)."""
        return self.rows.episode[np.unique(self.request, return_index=True)[1]]

    def matched(self, most: int) -> Ids:
        """Return the ids of matched negatives (requests, most), -1 where a request has fewer; IndexError if more."""
        ids = np.full((self.requests, most), -1, dtype=np.int64)
        chosen = self.rows.role == Role.MATCHED
        ids[self.request[chosen], self.rows.position[chosen]] = self.rows.record[chosen]
        return ids

    def with_matched(self, ids: Ids, labels: NDArray[np.int64]) -> QueriedRows:
        """Put these matched negatives, ids of records or -1, in the place of those here; ``labels`` (r,) are of all."""
        is_matched = self.rows.role == Role.MATCHED
        if not is_matched.any():
            return self
        wanted = ids[self.request, np.where(is_matched, self.rows.position, 0)]
        record = np.where(is_matched, wanted, self.rows.record)
        kept = record >= 0
        changed = replace(self.rows, record=record, label=labels[record])
        return QueriedRows(changed.take(kept), self.request[kept], self.requests)


class Derivation:
    """Derives the rows of groups of cells. Groups that differ only in model and unlearner have the same rows."""

    def __init__(self, instances: PluginInstances) -> None:
        self._instances = instances
        self._episodes: dict[tuple[object, ...], Episode] = {}

    def side(self, tasks: Sequence[EpisodeTask]) -> QueriedRows:
        """Return the rows of one side of a group. Matched negatives are those of a model without regions."""
        return QueriedRows.of(Observations.concatenate([self._episode(task).observations for task in tasks]))

    def forget_sets(self, group: CellGroup) -> str:
        """Return the checksum of the forget sets of a group, as :func:`group_forget_sets` does."""
        return group_forget_sets(self._episode(task).forget_sets for task in group.target + group.shadow)

    def _episode(self, task: EpisodeTask) -> Episode:
        scenario = (task.scenario, task.defense, task.sizes)
        of_all_models = (task.dataset, task.side, task.original, task.seed, *scenario)
        of_this_model = (task.original_key, *scenario)
        for key in (of_all_models, of_this_model):
            if key in self._episodes:
                return self._episodes[key]
        parts = replace(parts_of(task, self._instances), unlearner=UntrainedUnlearner(), device="cpu")
        original = parts.make_original()
        episode = observe(parts, original)
        episode = replace(episode, observations=_without_answers(episode.observations))
        # A scenario that looked at a model may choose other records for another one.
        self._episodes[of_this_model if original.is_used else of_all_models] = episode
        return episode

    def matched_problems(self, group: CellGroup, derived: QueriedRows, ids: Ids) -> Iterator[str]:
        """Say what is wrong with matched negatives (requests, most) that a submission names."""
        first = group.target[0]
        records = self._instances.records(first.dataset)
        positive = self._instances.make(first.scenario, Scenario).positive
        _, unseen = side_halves(records, first.side, SeedPath(first.seed) / records.name)
        given = ids >= 0
        records_given = ids[given]
        if (given[:, 1:] & ~given[:, :-1]).any():
            yield "the matched negatives have gaps"
        elif not np.isin(records_given, unseen).all() or records.has_duplicate[records_given].any():
            yield "some matched negatives are not unseen records without a duplicate"
        elif (given.sum(axis=1) > (derived.matched(ids.shape[1]) >= 0).sum(axis=1)).any():
            yield "a request has more matched negatives than are possible"
        elif any(_invalid(derived, positive, request, own[own >= 0], records.y) for request, own in enumerate(ids)):
            yield "a request has a matched negative twice, or one whose label none of its deleted records has"


def group_forget_sets(checksums: Iterable[str]) -> str:
    """Return the sha256 of the checksums of a group's episodes, those of the target side first."""
    return hashlib.sha256(" ".join(checksums).encode()).hexdigest()


def _without_answers(rows: Observations) -> Observations:
    """Drop posteriors, which nothing here reads: before is (n, 0), after (n, 1, 0)."""
    n, last = len(rows), rows.last_only()
    return replace(last, before=np.empty((n, 0)), after=np.empty((n, 1, 0)))


def _invalid(derived: QueriedRows, positive: Role, request: int, own: Ids, labels: NDArray[np.int64]) -> bool:
    """Say whether matched negatives of a request are repeated, or have a label that none of its positives has."""
    rows = derived.rows
    wanted = rows.label[(derived.request == request) & (rows.role == positive)]
    return len(np.unique(own)) < len(own) or not np.isin(labels[own], wanted).all()
