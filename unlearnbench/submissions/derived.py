"""Who was asked about in a run, and what each record is: derived again from the suite and its seeds, without training.

Membership is never read from a submission. An episode is gone through by the very code that makes runs, with models
that have learned nothing: pools, requests, queries and roles come out as they did, since no seed path knows the model.
Only a scenario that looks at the original model has that one trained.
One role is an exception. Which unseen records are like the forgotten one depends, for models with regions, on the
model, so the ids of matched negatives come from the submission: they must be unseen records, of the label of a record
that was asked about, each once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from unlearnbench.run.episodes import observe
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.originals import parts_of

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Ignorant:
    """A model that has learned nothing: every class is as likely."""

    n_classes: int

    @property
    def fitted(self) -> Fitted:
        """The model itself; it is its own state too."""
        return self

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the same log-posteriors (n, C) for every record."""
        return np.full((len(x), self.n_classes), -np.log(self.n_classes))


class NoTraining(Unlearner):
    """Serves requests without a model."""

    def prepare(self, original: Original) -> State:
        """Return a model that has learned nothing."""
        return Ignorant(original.data.n_classes)

    def serve(self, state: State, step: Step, seeds: SeedPath) -> State:  # noqa: ARG002
        """Return the same."""
        return state


@dataclass(frozen=True, eq=False)
class QueriedRows:
    """Rows of one side without posteriors, and their requests: ``group`` (n,) counts requests of all originals."""

    rows: Observations
    group: Ids
    requests: int

    @classmethod
    def of(cls, rows: Observations) -> QueriedRows:
        """Take rows and number their requests, original by original."""
        number = rows.episode * (rows.request.max(initial=0) + 1) + rows.request
        distinct, group = np.unique(number, return_inverse=True)
        return cls(rows, group, len(distinct))

    @property
    def episode(self) -> Ids:
        """The original of each request (requests,)."""
        return self.rows.episode[np.unique(self.group, return_index=True)[1]]

    def matched(self, most: int) -> Ids:
        """Return the ids of matched negatives (requests, most), -1 where a request has fewer; IndexError if more."""
        ids = np.full((self.requests, most), -1, dtype=np.int64)
        chosen = self.rows.role == Role.MATCHED
        ids[self.group[chosen], self.rows.position[chosen]] = self.rows.record[chosen]
        return ids

    def with_matched(self, ids: Ids, labels: NDArray[np.int64]) -> QueriedRows:
        """Put these matched negatives in the place of those here; ``labels`` are of all records."""
        is_matched = self.rows.role == Role.MATCHED
        if not is_matched.any():
            return self
        wanted = ids[self.group, np.where(is_matched, self.rows.position, 0)]
        record = np.where(is_matched, wanted, self.rows.record)
        kept = record >= 0
        changed = replace(self.rows, record=record, label=labels[record])
        return QueriedRows(changed.take(kept), self.group[kept], self.requests)


class Derivation:
    """Derives the rows of benches; models that meet the same records share them."""

    def __init__(self, instances: PluginInstances) -> None:
        self._workshop = instances
        self._rows: dict[tuple[object, ...], Observations] = {}

    def side(self, tasks: Sequence[EpisodeTask]) -> QueriedRows:
        """Return the rows of one side of a bench; matched negatives are the nearest ones, right without regions."""
        return QueriedRows.of(Observations.concatenate([self._episode(task) for task in tasks]))

    def _episode(self, task: EpisodeTask) -> Observations:
        scenario = (task.scenario, task.defense, task.sizes)
        of_all_models = (task.dataset, task.side, task.original, task.seed, *scenario)
        of_this_model = (task.original_key, *scenario)
        for key in (of_all_models, of_this_model):
            if key in self._rows:
                return self._rows[key]
        parts = replace(parts_of(task, self._workshop), unlearner=NoTraining(), device="cpu")
        original = parts.make_original()
        rows = _without_answers(observe(parts, original).observations)
        # A scenario that looked at the original model may choose other records for another one.
        self._rows[of_this_model if original.is_trained else of_all_models] = rows
        return rows

    def matched_faults(self, bench: CellGroup, derived: QueriedRows, ids: Ids) -> Iterator[str]:
        """Say what is wrong with matched negatives (requests, most) that a submission names."""
        first = bench.target[0]
        records = self._workshop.records(first.dataset)
        positive = self._workshop.make(first.scenario, Scenario).positive
        _, unseen = side_halves(records, first.side, SeedPath(first.seed) / records.name)
        there = ids >= 0
        named = ids[there]
        if (ids < -1).any() or (there[:, 1:] & ~there[:, :-1]).any():
            yield "there are gaps in it, or ids that no record has"
        elif not np.isin(named, unseen).all() or records.has_duplicate[named].any():
            yield "some of its records are not unseen ones without a duplicate"
        elif (there.sum(axis=1) > (derived.matched(ids.shape[1]) >= 0).sum(axis=1)).any():
            yield "a request has more of them than there can be"
        elif any(_unlike(derived, positive, request, own[own >= 0], records.y) for request, own in enumerate(ids)):
            yield "a request has one twice, or one of another label than the records it is about"


def _without_answers(rows: Observations) -> Observations:
    """Drop posteriors: before and after (n, 1), to be filled with whether they changed."""
    n, last = len(rows), rows.last_only()
    return replace(last, before=np.zeros((n, 1)), after=np.zeros((n, 1, 1)))


def _unlike(derived: QueriedRows, positive: Role, request: int, own: Ids, labels: NDArray[np.int64]) -> bool:
    rows = derived.rows
    about = rows.label[(derived.group == request) & (rows.role == positive)]
    return len(np.unique(own)) < len(own) or not np.isin(labels[own], about).all()
