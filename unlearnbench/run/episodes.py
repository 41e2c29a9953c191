"""One episode: an original serves its deletion requests, and every model is queried. All the cost of a run is here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.defenses import Defense
from unlearnbench.core.models import Engine, TargetModel
from unlearnbench.core.observations import Observations
from unlearnbench.core.originals import Original
from unlearnbench.core.pools import EpisodeSizes, Pools, Side, side_pools
from unlearnbench.core.records import Records, TrainingSet, among
from unlearnbench.core.references import population_sample
from unlearnbench.core.scenarios import Queries, Request, Role, Scenario, forget_sets_sha256
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import State, Unlearner
from unlearnbench.engine.gradients.relearning import relearned
from unlearnbench.engine.peaks import meter_for
from unlearnbench.run.boundary_rows import BoundaryRows, search_around
from unlearnbench.run.copy_table import ask_copies
from unlearnbench.run.outcomes import collapsed, unmoved
from unlearnbench.run.query_set import Neighbourhood, QuerySet
from unlearnbench.run.returned import (
    check_number,
    check_queries,
    check_requests,
    check_schedule,
    check_versions,
    privacy_loss,
    record_passes,
)

TEST_RECORDS = 1000
"""How many records, at most, test accuracy is measured on: its standard error is then at most .016."""
VALIDATION_RECORDS = 1000
"""How many records, at most, an unlearner may use for validation."""


@dataclass(frozen=True, eq=False)
class Episode:
    """The result of one original and its requests."""

    observations: Observations
    accuracy: Mapping[str, NDArray[np.float64]]
    """Shares in [0, 1]: of the original (1,), of the last version of each request (requests,)."""
    seconds: Mapping[str, float]
    """``train``: to train the original and prepare for requests; ``unlearn``: to serve one request, on average.

    The training of an original counts in every episode that uses it, even though it is done once for all.
    """
    passes: NDArray[np.float64]
    """Record passes (requests,) of serving each request, over those of a retraining; NaN where nobody counted."""
    collapsed: NDArray[np.bool_]
    """Which requests' last versions have collapsed: see :mod:`unlearnbench.run.outcomes`."""
    unmoved: NDArray[np.bool_]
    """Which requests' last versions are still the original."""
    epsilon: float = math.inf
    """The differential privacy loss of the original; infinite if it was trained without."""
    population: Observations | None = None
    """What the models answer about the population, one row for each of its records and each request, if asked."""
    forget_sets: str = ""
    """The sha256 of the ids that its requests forget and add, see :func:`forget_sets_sha256`."""
    relearned: NDArray[np.float64] | None = None
    """After how many epochs each request's last version knows the deleted records again, if that was tried."""
    memory: float = math.nan
    """Bytes held at the peak of serving all requests, over those before; NaN where that cannot be measured."""
    copies: Observations | None = None
    """What original and last version answer about noisy copies of each request's queried records, if asked."""
    boundary: BoundaryRows | None = None
    """How far the records of the observations are from the decision boundary of either, if that was searched."""


@dataclass(frozen=True, eq=False)
class EpisodeParts:
    """The plug-ins and numbers that make up one episode."""

    records: Records
    model: TargetModel
    unlearner: Unlearner
    scenario: Scenario
    defense: Defense
    sizes: EpisodeSizes
    side: Side
    original: int
    """The number of the original on its side."""
    seed: int
    device: str
    engine: Engine = "fast"
    population: int = 0
    """Records of the population that are queried too."""
    relearn: int = 0
    """For how many epochs, at most, models learn the deleted records again."""
    copies: int = 0
    """Noisy copies of each queried record, at each scale, that are queried too."""
    boundary: int = 0
    """Queries, at most, of each search for the decision boundary around a queried record; 0 for no search."""

    @property
    def seeds(self) -> SeedPath:
        """The seed path of the episode.

        It names data set, side and original, never the model, unlearner or scenario: all of them get the same records
        and random negatives, so that they can be compared pair by pair.
        """
        return self.side_seeds / self.side / self.original

    @cached_property
    def pools(self) -> tuple[Pools, NDArray[np.int64]]:
        """The pools of the original, and the ids that test accuracy may be measured on."""
        return side_pools(self.records, self.side, self.sizes, self.original, self.side_seeds)

    @property
    def side_seeds(self) -> SeedPath:
        """The seed path that the data set is split by between the sides."""
        return SeedPath(self.seed) / self.records.name

    def population_ids(self) -> NDArray[np.int64]:
        """Return the population: records that no model of the target is trained on and no request queries."""
        if not self.population:
            return np.empty(0, dtype=np.int64)
        return population_sample(self.records, self.population, self.side_seeds)

    def make_original(self) -> Original:
        """Return the original, not trained yet; the same for all unlearners and scenarios."""
        data = TrainingSet.of(self.records, self.pools[0].training)
        options = self.defense.training()
        return Original(self.model, data, self.seeds / "train", self.device, options, self.engine)

    def validation_ids(self) -> NDArray[np.int64]:
        """Return ids that the original is not trained on, that the scenario does not add and that nobody queries."""
        left = self.pools[0].addable[self.scenario.additions_needed(self.sizes) :]
        return left[-VALIDATION_RECORDS:]


def observe(parts: EpisodeParts, shared: Original | None = None) -> Episode:
    """Run one episode. ``shared`` is what ``parts.make_original()`` returns, perhaps trained by another episode."""
    (pools, unseen), seeds, source = parts.pools, parts.seeds, shared or parts.make_original()
    validation = parts.validation_ids()
    original = source.share(validation)
    requests = _requests(parts, original)
    _check_something_stays(source.data, requests)
    state, chains, seconds, memory = serve(parts.unlearner, source.share(validation), requests, seeds / "serve")
    queries = [
        parts.scenario.queries(request, pools, parts.sizes, seeds / "queries" / r, original, state.fitted)
        for r, request in enumerate(requests)
    ]
    population = Queries.of({Role.UNSEEN: parts.population_ids()})
    for queried in queries:
        check_queries(queried, parts.records, population.ids)
    query_set = QuerySet.of(source.data, unseen[:TEST_RECORDS], [*queries, population])
    answers = query_set.answers([state.fitted, *(version.fitted for chain in chains for version in chain)])
    source.check_unchanged()
    lengths = [len(chain) for chain in chains]
    versions = np.split(answers[1:], np.cumsum(lengths)[:-1])

    def rows(queries: Sequence[Queries]) -> Observations:
        each = enumerate(zip(requests, queries, versions, strict=True))
        asked = [
            query_set.rows(parts.original, r, request, queried, answers[0], after)
            for r, (request, queried, after) in each
        ]
        return Observations.concatenate([_visible(parts.scenario, one) for one in asked])

    accuracy = query_set.accuracy(answers, requests, lengths)
    around = [
        Neighbourhood((parts.original, r), queried, state.fitted, chain[-1].fitted)
        for r, (queried, chain) in enumerate(zip(queries, chains, strict=True))
    ]
    last = [0, *np.cumsum(lengths)]
    return Episode(
        rows(queries),
        accuracy,
        seconds,
        np.array([record_passes(chain) for chain in chains]),
        collapsed(accuracy["train_original"], accuracy["train_unlearned"], accuracy["constant"]),
        unmoved(source.data, requests, [state.fitted, *(chain[-1].fitted for chain in chains)], answers[last]),
        privacy_loss(state.fitted),
        rows([population] * len(requests)) if parts.population else None,
        forget_sets_sha256(requests),
        _relearned(parts, source, requests, chains),
        memory,
        ask_copies(parts.records, around, parts.copies, parts.side_seeds / "copies") if parts.copies else None,
        search_around(parts.records, around, parts.boundary, parts.side_seeds / "boundary") if parts.boundary else None,
    )


def _relearned(
    parts: EpisodeParts, original: Original, requests: Sequence[Request], chains: Sequence[Sequence[State]]
) -> NDArray[np.float64] | None:
    """Return after how many epochs each last version knows the deleted records again, if that is asked for."""
    if not parts.relearn:
        return None
    each = enumerate(zip(requests, chains, strict=True))
    seeds = parts.seeds / "relearn"
    return np.array(
        [relearned(original, request, chain[-1].fitted, parts.relearn, seeds / r) for r, (request, chain) in each]
    )


def _check_something_stays(data: TrainingSet, requests: Sequence[Request]) -> None:
    """Raise ValueError for a request that deletes all records but canaries: no model could be measured."""
    learned = data.records.without_canaries(data.ids)
    told = "records of the training set" if data.records.canary is None else "records that are no canaries"
    for number, request in enumerate(requests):
        if among(learned, request.forgotten).all():
            raise ValueError(f"request {number} deletes all {len(learned)} {told}; one must stay")


def _requests(parts: EpisodeParts, original: Original) -> Sequence[Request]:
    """Return the requests of the scenario as the defense schedules them."""
    wanted = parts.scenario.requests(parts.pools[0], parts.sizes, parts.seeds / "requests", original)
    check_requests(wanted, original.data, "scenario")
    check_number(wanted, parts.sizes.requests)
    scheduled = parts.defense.schedule(wanted)
    if scheduled is not wanted:
        check_requests(scheduled, original.data, "defense")
        check_schedule(wanted, scheduled)
    return scheduled


def serve(
    unlearner: Unlearner, original: Original, requests: Sequence[Request], seeds: SeedPath
) -> tuple[State, Sequence[Sequence[State]], dict[str, float], float]:
    """Return the original's state, the versions of each request, the seconds of both, and the memory of serving."""

    def clock() -> float:
        """Tell the time without that in which the original was trained, here or by another episode."""
        return perf_counter() - (original.source or original).seconds

    start = clock()
    state = unlearner.prepare(original)
    train, meter = clock() - start + original.seconds, meter_for(original.device)
    meter.start()
    prepared = clock()
    chains = unlearner.serve_all(state, requests, seeds)
    unlearn, memory = (clock() - prepared) / len(requests), meter.peak()
    check_versions(chains, requests)
    return state, chains, {"train": train, "unlearn": unlearn}, memory


def _visible(scenario: Scenario, rows: Observations) -> Observations:
    """Keep the versions that the scenario's adversary queries."""
    return rows.last_only() if scenario.sees == "last" else rows
