"""Training reference models and asking them about the records that are queried from the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import TargetModel
from unlearnbench.core.observations import Observations
from unlearnbench.core.originals import Original
from unlearnbench.core.pools import side_halves
from unlearnbench.core.records import Records, Step, TrainingSet, among
from unlearnbench.core.references import holds, population_sample, reference_pool
from unlearnbench.core.scenarios import Request, Role
from unlearnbench.core.seeding import SeedPath, keyed_bits
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.engine.querying import query
from unlearnbench.run.cells import ReferenceTask
from unlearnbench.run.episodes import VALIDATION_RECORDS, Episode, serve
from unlearnbench.run.evaluation import read_entry
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plugin_lock import PluginLock
from unlearnbench.run.store import Store
from unlearnbench.run.work import OriginalWork

Ids = NDArray[np.int64]


class ReferenceWork(OriginalWork[ReferenceTask]):
    """Makes reference models, in any process. Which records are queried it reads from the episodes in the store."""

    def __init__(self, lock: PluginLock, store: Store) -> None:
        super().__init__(lock)
        self.store = store
        self._queried: dict[tuple[str, ...], Ids] = {}

    @classmethod
    def here(cls, instances: PluginInstances, store: Store) -> ReferenceWork:
        """Return work that uses this process's instances and store as long as it stays in this process."""
        work = cls(instances.lock, store)
        work.instances = instances
        return work

    def _observe(self, task: ReferenceTask) -> Episode:
        if task.targets not in self._queried:
            self._queried[task.targets] = queried_records(task, self.store)
        parts = ReferenceParts.of(task, self._queried[task.targets], self.instances)
        key = (task.original_key, parts.training.tobytes())
        original = self._kept(key, partial(parts.make_original, task, self.instances))
        return observe_reference(parts, original, self.instances.make(task.unlearner, Unlearner))

    def portable(self, tasks: Sequence[ReferenceTask], /) -> ReferenceWork:
        """Return work that holds the targets' episodes that these tasks read from the store."""
        return ReferenceWork(self.lock, self.store.held(("episode", key) for task in tasks for key in task.targets))

    def __reduce__(self) -> tuple[type[ReferenceWork], tuple[PluginLock, Store]]:
        return ReferenceWork, (self.lock, self.store)


def queried_records(task: ReferenceTask, store: Store) -> Ids:
    """Return the ids (q,) of all records that are queried from the target, each once, ascending.

    Raises :class:`FailedElsewhereError` where an episode is not there.
    """
    entries = (read_entry(store, "episode", key, "a target whose queries it needs") for key in task.targets)
    return np.unique(np.concatenate([np.asarray(entry.arrays["row-record"], dtype=np.int64) for entry in entries]))


@dataclass(frozen=True, eq=False)
class ReferenceParts:
    """What makes up one reference model."""

    records: Records
    number: int
    training: Ids
    """The training set, in training order."""
    validation: Ids
    """Records that the shadow side may train on, and no reference model is trained on."""
    asked: Ids
    """The records to ask about (n,), ascending: the queried ones and the population."""
    forgotten: tuple[Ids, ...]
    """The records that each request forgets: all queried ones that the model is trained on, and a few more in the last
    request, so that all requests forget as many."""
    seeds: SeedPath

    @classmethod
    def of(cls, task: ReferenceTask, queried: Ids, instances: PluginInstances) -> ReferenceParts:
        """Derive them from the seeds and from the ids of the queried records."""
        records = instances.records(task.dataset)
        side_seeds = SeedPath(task.seed) / records.name
        seeds = side_seeds / "reference"
        pool = reference_pool(queried, records, task.records, side_seeds)
        own = pool[holds(pool, task.number, seeds)]
        training = own[(seeds / task.number / "order").permutation(len(own))]
        is_queried = among(training, queried)
        deleted = np.concatenate([training[is_queried], training[~is_queried]])
        requests = max(-(-int(is_queried.sum()) // task.per_request), 1)
        trainable, _ = side_halves(records, "shadow", side_seeds)
        return cls(
            records,
            task.number,
            training,
            trainable[~among(trainable, pool)][-VALIDATION_RECORDS:],
            np.union1d(queried, population_sample(records, task.population, side_seeds)),
            tuple(np.split(deleted[: requests * task.per_request], requests)),
            seeds / task.number,
        )

    def make_original(self, task: ReferenceTask, instances: PluginInstances) -> Original:
        """Return the original, not trained yet; the same for all unlearners."""
        data = TrainingSet.of(self.records, self.training)
        model = instances.make(task.model, TargetModel)
        return Original(model, data, self.seeds / "train", task.device, task.options, task.engine)

    def answering(self) -> Ids:
        """Return which request's model answers about each record (n,): its own, or a random one if it is in none."""
        requests = len(self.forgotten)
        chosen = keyed_bits((self.seeds / "answering").seed(), self.asked) % np.uint64(requests)
        answering = chosen.astype(np.int64)
        for request, ids in enumerate(self.forgotten):
            answering[among(self.asked, ids)] = request
        return answering


def observe_reference(parts: ReferenceParts, shared: Original, unlearner: Unlearner) -> Episode:
    """Serve the requests of a reference model; return one row for each record that it is asked about.

    The episode of a row is the model's number. Accuracies, passes and outcomes are not measured.
    """
    original = shared.share(parts.validation)
    requests = [Request((Step(ids),)) for ids in parts.forgotten]
    state, chains, seconds, _ = serve(unlearner, original, requests, parts.seeds / "serve")
    models = [state.fitted, *(chain[-1].fitted for chain in chains)]
    answers = query(models, parts.records.x[parts.asked], parts.records.n_classes)
    shared.check_unchanged()
    return Episode(_rows(parts, answers), {}, seconds, np.empty(0), *np.empty((2, 0), dtype=np.bool_))


def _rows(parts: ReferenceParts, answers: NDArray[np.float64]) -> Observations:
    n, request = len(parts.asked), parts.answering()
    member = among(parts.asked, parts.training)
    return Observations(
        before=answers[0],
        after=answers[1 + request, np.arange(n)][:, None],
        versions=np.ones(n, dtype=np.int64),
        member=np.stack([member, np.zeros(n, dtype=np.bool_)], axis=1),
        label=parts.records.y[parts.asked],
        record=parts.asked,
        episode=np.full(n, parts.number, dtype=np.int64),
        request=request,
        role=np.where(member, Role.FORGOTTEN, Role.UNSEEN).astype(np.int8),
        position=np.arange(n),
    )
