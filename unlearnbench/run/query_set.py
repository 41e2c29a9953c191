"""What the models of an episode are asked, and how their answers are laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import Fitted
from unlearnbench.core.observations import Observations
from unlearnbench.core.records import Step, TrainingSet, among
from unlearnbench.core.scenarios import Queries, Request
from unlearnbench.engine.querying import query

Answers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """The records that one request queries, and the two models that may be asked about points around them."""

    place: tuple[int, int]
    """The number of the original and of the request."""
    queried: Queries
    original: Fitted
    last: Fitted
    """The last unlearned version."""


@dataclass(frozen=True, eq=False)
class QuerySet:
    """All records that the models of an episode are asked about: training, test and queried ones, each once."""

    data: TrainingSet
    """The training set of the original."""
    ids: NDArray[np.int64]
    """Record ids (n,), ascending."""
    test: NDArray[np.int64]
    """Indices into ``ids`` of the records that test accuracy is measured on."""

    @classmethod
    def of(cls, data: TrainingSet, test: NDArray[np.int64], queries: Sequence[Queries]) -> QuerySet:
        """Collect the ids of the training set, the test records and the queries."""
        ids = np.unique(np.concatenate([data.ids, test, *(queried.ids for queried in queries)]))
        return cls(data, ids, np.searchsorted(ids, test))

    def answers(self, models: Sequence[Fitted]) -> Answers:
        """Return the log-posteriors (models, n, C) of all models on all records; ValueError if they are none."""
        records = self.data.records
        return query(models, records.x[self.ids], records.n_classes)

    def rows(
        self, original: int, number: int, request: Request, queried: Queries, before: Answers, after: Answers
    ) -> Observations:
        """Return the observations of one request.

        ``original`` and ``number`` count the originals of a side and the requests of an original. ``before`` (n, C)
        and ``after`` (V, n, C) are answers to this query set.
        """
        rows = np.searchsorted(self.ids, queried.ids)
        return Observations(
            before=before[rows],
            after=np.ascontiguousarray(after[:, rows].transpose(1, 0, 2)),
            versions=np.full(len(rows), len(after), dtype=np.int64),
            member=_membership(self.data, request, queried.ids),
            label=self.data.records.y[queried.ids],
            record=queried.ids,
            episode=np.full(len(rows), original, dtype=np.int64),
            request=np.full(len(rows), number, dtype=np.int64),
            role=queried.role,
            position=queried.position,
        )

    def accuracy(
        self, answers: Answers, requests: Sequence[Request], lengths: Sequence[int]
    ) -> dict[str, NDArray[np.float64]]:
        """Return the accuracies of the original, and of the last version of each request; NaN over no records.

        ``train`` is the training set, for versions the retain set, both without canaries; ``forget`` the records of the
        training set that the request deletes. ``constant`` is the share of the most frequent class in each retain set.
        ``answers`` (models, n, C): first the original's, then those of requests with ``lengths`` versions each.
        """
        records = self.data.records
        correct = answers.argmax(axis=2) == records.y[self.ids]
        learned = records.without_canaries(self.data.ids)
        training = np.searchsorted(self.ids, learned)
        last = correct[np.cumsum(lengths)]
        gone = [among(learned, request.forgotten) for request in requests]
        deleted = [self._deleted(request) for request in requests]
        labels = records.y[learned]
        return {
            "train_original": np.array([correct[0, training].mean()]),
            "test_original": np.array([correct[0, self.test].mean()]),
            "train_unlearned": np.array([own[~left].mean() for own, left in zip(last[:, training], gone, strict=True)]),
            "forget_original": np.array([_mean(correct[0, chosen]) for chosen in deleted]),
            "forget_unlearned": np.array([_mean(own[chosen]) for own, chosen in zip(last, deleted, strict=True)]),
            "constant": np.array([np.bincount(labels[~left]).max() / (~left).sum() for left in gone]),
            "test_unlearned": last[:, self.test].mean(axis=1),
        }

    def _deleted(self, request: Request) -> NDArray[np.int64]:
        """Return indices into ``ids`` of the records of the training set that a request deletes."""
        return np.searchsorted(self.ids, self.data.ids[among(self.data.ids, request.forgotten)])


def _mean(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else np.nan


def _membership(data: TrainingSet, request: Request, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return who was in the training set of the original and of each version, as requested: (n, V+1)."""

    def serve(member: NDArray[np.bool_], step: Step) -> NDArray[np.bool_]:
        return np.asarray((member | among(ids, step.add)) & ~among(ids, step.forget))

    versions: list[NDArray[np.bool_]] = list(accumulate(request.steps, serve, initial=among(ids, data.kept_ids)))
    return np.stack(versions, axis=1)
