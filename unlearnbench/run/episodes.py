"""One episode: train an original, serve its deletion requests, query every model. All the cost of a run is here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import accumulate
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.defenses import Defense
from unlearnbench.core.models import HasPrivacy, TargetModel
from unlearnbench.core.observations import Observations
from unlearnbench.core.pools import EpisodeSizes, Side, side_pools
from unlearnbench.core.records import Records, Step, TrainingSet, among
from unlearnbench.core.scenarios import Queries, Request, Scenario
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.engine.querying import query

TEST_RECORDS = 1000
"""How many records, at most, test accuracy is measured on: its standard error is then at most .016."""

Answers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Episode:
    """What one original and its requests gave: observed rows, accuracies, seconds.

    Accuracies are shares in [0, 1]: of the original a number, of the last version of each request an array (m,).
    ``epsilon`` is what the original spent of differential privacy, infinite where it was trained without.
    """

    observations: Observations
    accuracy: Mapping[str, NDArray[np.float64]]
    seconds: Mapping[str, float]
    epsilon: float = math.inf


@dataclass(frozen=True, eq=False)
class EpisodeParts:
    """The live plug-ins and numbers that make up one episode."""

    records: Records
    model: TargetModel
    unlearner: Unlearner
    scenario: Scenario
    defense: Defense
    sizes: EpisodeSizes
    side: Side
    original: int
    seed: int
    device: str


def observe(parts: EpisodeParts) -> Episode:
    """Run one episode.

    Seed paths name data set, side, original and request, never the model or unlearner: all of them meet the same
    records, requests and random negatives, so that they can be compared pair by pair.
    """
    seeds = SeedPath(parts.seed) / parts.records.name
    pools, unseen = side_pools(parts.records, parts.side, parts.sizes, parts.original, seeds)
    here = seeds / parts.side / parts.original
    data = TrainingSet.of(parts.records, pools.training)

    start = perf_counter()
    original = parts.unlearner.prepare(parts.model, data, here / "train", parts.device)
    trained = perf_counter()
    requests = parts.defense.schedule(parts.scenario.requests(pools, parts.sizes, here / "requests"))
    chains = parts.unlearner.serve_all(original, requests, here / "serve")
    served = perf_counter()

    queries = [
        parts.scenario.queries(original.fitted, data, request, pools, parts.sizes, here / "queries" / r)
        for r, request in enumerate(requests)
    ]
    models = [original.fitted, *(state.fitted for chain in chains for state in chain)]
    query_set = QuerySet.of(data, unseen[:TEST_RECORDS], queries)
    answers = _checked(query(models, parts.records.x[query_set.ids]), parts.records.n_classes)
    versions = np.split(answers[1:], np.cumsum([len(chain) for chain in chains])[:-1])
    rows = [
        _seen(parts.scenario, _rows(parts, data, r, request, asked, query_set.rows_of(asked.ids), answers[0], after))
        for r, (request, asked, after) in enumerate(zip(requests, queries, versions, strict=True))
    ]
    return Episode(
        Observations.concatenate(rows),
        _accuracy(
            query_set, answers.argmax(axis=2) == parts.records.y[query_set.ids], requests, [len(c) for c in chains]
        ),
        {"train": trained - start, "unlearn": (served - trained) / len(requests)},
        original.fitted.epsilon if isinstance(original.fitted, HasPrivacy) else math.inf,
    )


def _checked(answers: Answers, n_classes: int) -> Answers:
    if answers.ndim != 3 or answers.shape[2] != n_classes or not np.isfinite(answers).all():
        raise ValueError(
            f"models must answer with finite log-posteriors of {n_classes} classes; got shape {answers.shape[1:]}, "
            f"{np.count_nonzero(~np.isfinite(answers))} numbers not finite"
        )
    return np.asarray(answers, dtype=np.float64)


@dataclass(frozen=True)
class QuerySet:
    """All records that the models of an episode are asked about: training, test and queried ones, each once."""

    ids: NDArray[np.int64]
    training: NDArray[np.int64]
    test: NDArray[np.int64]

    @classmethod
    def of(cls, data: TrainingSet, test: NDArray[np.int64], queries: Sequence[Queries]) -> QuerySet:
        """Collect the ids; ``training`` and ``test`` are rows of the query_set."""
        ids = np.unique(np.concatenate([data.ids, test, *(asked.ids for asked in queries)]))
        return cls(ids, np.searchsorted(ids, data.ids), np.searchsorted(ids, test))

    def rows_of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the query_set rows (n,) of record ids (n,)."""
        return np.searchsorted(self.ids, ids)


def _rows(
    parts: EpisodeParts,
    data: TrainingSet,
    number: int,
    request: Request,
    asked: Queries,
    rows: NDArray[np.int64],
    before: Answers,
    after: Answers,
) -> Observations:
    """Lay out the observations of one request; ``after`` is (V, query_set, C)."""
    n = len(asked.ids)
    return Observations(
        before=before[rows],
        after=np.ascontiguousarray(after[:, rows].transpose(1, 0, 2)),
        versions=np.full(n, len(after), dtype=np.int64),
        member=_membership(data, request, asked.ids),
        label=parts.records.y[asked.ids],
        record=asked.ids,
        episode=np.full(n, parts.original, dtype=np.int64),
        request=np.full(n, number, dtype=np.int64),
        role=asked.role,
        position=asked.position,
    )


def _seen(scenario: Scenario, rows: Observations) -> Observations:
    """Keep what the scenario's adversary meets."""
    return rows.last_only() if scenario.sees == "last" else rows


def _membership(data: TrainingSet, request: Request, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return who was in the training set of the original and of each version, as requested: (n, V+1)."""

    def serve(member: NDArray[np.bool_], step: Step) -> NDArray[np.bool_]:
        return np.asarray((member | among(ids, step.add)) & ~among(ids, step.forget))

    versions: list[NDArray[np.bool_]] = list(accumulate(request.steps, serve, initial=among(ids, data.kept_ids)))
    return np.stack(versions, axis=1)


def _accuracy(
    query_set: QuerySet, right: NDArray[np.bool_], requests: Sequence[Request], lengths: Sequence[int]
) -> dict[str, NDArray[np.float64]]:
    """Return the train and test accuracy of the original, and of the last version of each request.

    ``right`` (models, query_set) says whose answers are right: the original's first, then those of requests of so many
    versions each.
    """
    last = right[np.cumsum(lengths)]
    training, test = last[:, query_set.training], last[:, query_set.test]
    retained = [~among(query_set.ids[query_set.training], request.forgotten) for request in requests]
    return {
        "train_original": np.array([right[0, query_set.training].mean()]),
        "test_original": np.array([right[0, query_set.test].mean()]),
        "train_unlearned": np.array([own[kept].mean() for own, kept in zip(training, retained, strict=True)]),
        "test_unlearned": test.mean(axis=1),
    }


def to_arrays(episode: Episode) -> dict[str, NDArray[np.generic]]:
    """Return an episode's arrays by the name they are stored under."""
    observed = {f"row-{f.name}": getattr(episode.observations, f.name) for f in fields(Observations)}
    accuracy = {f"accuracy-{name}": values for name, values in episode.accuracy.items()}
    return {**observed, **accuracy, "privacy-epsilon": np.array([episode.epsilon])}


def from_arrays(arrays: Mapping[str, NDArray[np.generic]], seconds: Mapping[str, float]) -> Episode:
    """Return the episode that :func:`to_arrays` took apart."""
    named: dict[tuple[str, str], NDArray[Any]] = {name.partition("-")[::2]: values for name, values in arrays.items()}
    rows: dict[str, Any] = {field: values for (group, field), values in named.items() if group == "row"}
    accuracy = {field: values.astype(np.float64) for (group, field), values in named.items() if group == "accuracy"}
    return Episode(Observations(**rows), accuracy, seconds, float(named["privacy", "epsilon"][0]))
