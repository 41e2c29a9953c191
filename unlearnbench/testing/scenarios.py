"""Requirements of scenarios."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import FitTask, TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.pools import EpisodeSizes, Pools
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.records import TrainingSet
from unlearnbench.core.scenarios import Queries, Request, Role, Scenario
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.strata import Candidates, StratumScenario
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import cases, check
from unlearnbench.testing.process import process_check
from unlearnbench.testing.samples import alike, blobs, copies

SEEDS: Final = SeedPath(3) / "requests"
CATEGORIES: Final = 4
"""How many values the first column of the records has."""
WRONG: Final = 3
"""One of so many records is mislabelled."""
CANARY: Final = 4
"""One of so many records is a canary."""


@dataclass(frozen=True)
class Linear:
    """A trained model whose logits are multiples of the first feature."""

    n_classes: int

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log-posteriors (n, n_classes)."""
        return log_softmax(np.outer(x[:, 0], np.arange(self.n_classes)))


class LinearModel(TargetModel):
    """A target model that needs no training."""

    def fit(self, task: FitTask, device: str) -> Linear:  # noqa: ARG002 - an argument of the contract
        """Return a model for as many classes as the records have."""
        return Linear(task.data.n_classes)


def _sizes(scenario: Scenario, requests: int = 4) -> EpisodeSizes:
    """Return sizes that a run would accept: a request has at least as many negatives as it deletes records."""
    sizes = EpisodeSizes(requests=requests, negatives=8, matched=2, retained=3)
    deleted = -(-scenario.deletions_needed(sizes) // requests)
    return replace(sizes, negatives=max(sizes.negatives, deleted))


def _pools(scenario: Scenario, sizes: EpisodeSizes) -> Pools:
    """Return pools with exactly the addable records that the scenario declares, and so many deletable ones.

    There are 50 times as many deletable records as it declares, so that it may choose them by their class, and as many
    unseen ones.
    """
    deletable, addable = 50 * scenario.deletions_needed(sizes) + 20, scenario.additions_needed(sizes)
    ids = np.random.default_rng(0).permutation(2 * deletable + addable)
    training, unseen, others = np.split(ids, [deletable, 2 * deletable])
    return Pools(np.sort(training), training, unseen, others)


def _original(pools: Pools, n_classes: int = 3) -> Original:
    drawn = blobs(sum(map(len, (pools.training, pools.unseen, pools.addable))), n_classes)
    categories = np.arange(len(drawn)) % CATEGORIES
    number = np.arange(len(drawn))
    marks = {"mislabelled": number % WRONG == 0, "canary": number % CANARY == 0}
    records = replace(drawn, x=np.column_stack([categories, drawn.x[:, 1:]]), **marks)
    return Original(LinearModel(), TrainingSet.of(records, pools.training), SEEDS / "train")


def _requests(scenario: Scenario, n: int = 4) -> tuple[Pools, list[Request]]:
    sizes = _sizes(scenario, n)
    pools = _pools(scenario, sizes)
    return pools, list(scenario.requests(pools, sizes, SEEDS, _original(pools)))


def _queries(scenario: Scenario, n_classes: int = 3) -> list[Queries]:
    sizes = _sizes(scenario)
    pools = _pools(scenario, sizes)
    original = _original(pools, n_classes)
    return [
        scenario.queries(request, pools, sizes, SEEDS / r, original, original.fitted)
        for r, request in enumerate(scenario.requests(pools, sizes, SEEDS, original))
    ]


def _ids(requests: Sequence[Request]) -> list[list[tuple[list[int], list[int]]]]:
    return [[(step.forget.tolist(), step.add.tolist()) for step in request.steps] for request in requests]


@check("Return exactly `sizes.requests` requests, each with a step that forgets something.")
def returns_the_requested_number(subject: Subject) -> Iterator[str]:
    """It returns `sizes.requests` requests, each with a step and a deletion."""
    for n in (1, 4):
        _, requests = _requests(subject.made, n)
        if len(requests) != n:
            yield f"sizes.requests is {n}, but {len(requests)} are returned"
        if any(not request.steps or not len(request.forgotten) for request in requests):
            yield "a request deletes nothing"


@check("Take records from `pools.deletable`, each once; raise `deletions_needed` where you use more.")
def deletes_training_records_once(subject: Subject) -> Iterator[str]:
    """It deletes at most as many records as it declares, all eligible and of the training set, none of them twice."""
    pools, requests = _requests(subject.made)
    eligible = subject.made.eligible(_original(pools).data.records)
    for request in requests:
        known = np.concatenate([pools.deletable, request.added])
        if not np.isin(request.forgotten, known).all():
            yield "a record is deleted that is neither in pools.deletable nor added before"
    deleted = np.concatenate([request.forgotten for request in requests])
    if eligible is not None and not eligible[deleted].all():
        yield "a record is deleted that is not eligible"
    if len(np.unique(deleted)) != len(deleted):
        yield "a record is deleted twice"
    declared = subject.made.deletions_needed(_sizes(subject.made))
    if len(deleted) > declared:
        yield f"{len(deleted)} records are deleted, deletions_needed says {declared}"


@check("Take records to add from `pools.addable`, each once; return their number from `additions_needed`.")
def adds_addable_records_once(subject: Subject) -> Iterator[str]:
    """It adds at most as many records as it declares, from `pools.addable`, none of them twice."""
    pools, requests = _requests(subject.made)
    added = np.concatenate([request.added for request in requests])
    if len(np.unique(added)) != len(added) or not np.isin(added, pools.addable).all():
        yield "a record is added twice, or is not in pools.addable"
    declared = subject.made.additions_needed(_sizes(subject.made))
    if len(added) > declared:
        yield f"{len(added)} records are added, additions_needed says {declared}"


@check("Draw from `seeds`, and from nothing else.")
def same_seeds_same_requests(subject: Subject) -> Iterator[str]:
    """Equal seeds give equal requests and queries."""
    first, second = (_requests(subject.made)[1] for _ in range(2))
    if _ids(first) != _ids(second):
        yield "the same seeds give different requests"
    if not alike(copies(*_queries(subject.made)), copies(*_queries(subject.made))):
        yield "the same seeds give different queries"


leaves_the_process = process_check(lambda subject: _queries(subject.made))


@check("Work on copies of the pools and of the records.")
def inputs_stay_as_they_were(subject: Subject) -> Iterator[str]:
    """The pools and the original's records do not change."""
    pools = _pools(subject.made, _sizes(subject.made))
    original = _original(pools)
    before = copies(pools, original.data)
    subject.made.requests(pools, _sizes(subject.made), SEEDS, original)
    if not alike(before, copies(pools, original.data)):
        yield "the pools or the records have changed"


@check("Return from `queries` records of both roles, `positive` and `negative`, with Queries.of.")
def both_roles_are_queried(subject: Subject) -> Iterator[str]:
    """Each request queries records of its positive and of its negative role."""
    for queries in _queries(subject.made):
        if not len(queries.ids) == len(queries.role) == len(queries.position):
            yield "ids, roles and positions differ in length"
        for side in ("positive", "negative"):
            role = getattr(subject.made, side)
            if not (queries.role == role).any():
                yield f"no record of the {side} role, {Role(role).name.lower()}, is queried"
                return


@check("Give each queried record the role that it has in the request.")
def roles_are_correct(subject: Subject) -> Iterator[str]:
    """Each queried record has its role: forgotten, unseen, matched, retained or added."""
    sizes = _sizes(subject.made)
    pools = _pools(subject.made, sizes)
    requests = subject.made.requests(pools, sizes, SEEDS, _original(pools))
    for request, queries in zip(requests, _queries(subject.made), strict=True):
        retained = np.setdiff1d(pools.training, request.forgotten)
        unseen = np.setdiff1d(np.concatenate([pools.unseen, pools.addable]), request.added)
        allowed = {
            Role.FORGOTTEN: request.forgotten,
            Role.UNSEEN: unseen,
            Role.MATCHED: unseen,
            Role.RETAINED: retained,
            Role.ADDED: request.added,
        }
        for role, ids in allowed.items():
            if not np.isin(queries.ids[queries.role == role], ids).all():
                yield f"a record queried as {role.name.lower()} is not {role.name.lower()}"
                return


@check("Decide on strata by what all candidates are, never by which of them are trained on.")
def strata_do_not_depend_on_the_training_set(subject: Subject) -> Iterator[str]:
    """Strata are the same where other candidates are in the training set, and whoever is queried is of the stratum."""
    if not isinstance(subject.made, StratumScenario):
        return
    pools = _pools(subject.made, _sizes(subject.made))
    swapped = replace(pools, training=np.sort(pools.unseen), deletable=pools.unseen, unseen=pools.deletable)
    first, second = (
        [ids.tolist() for ids in subject.made.strata(Candidates.of(each, _original(each)), SEEDS)]
        for each in (pools, swapped)
    )
    if first != second:
        yield "the strata are others where the other candidates are trained on"
    requests = subject.made.requests(pools, _sizes(subject.made), SEEDS, _original(pools))
    for request, queries in zip(requests, _queries(subject.made), strict=True):
        if len(request.of_stratum(queries.ids)) < len(queries.ids):
            yield "a record is queried that is not of the request's stratum"
            return


@check("Expect one request, and any number of classes.")
def edge_cases(subject: Subject) -> Iterator[str]:
    """One request, two and thirty classes work."""

    def querying(n_classes: int) -> Callable[[], Iterator[str]]:
        return lambda: (f"{len(q.ids)} records" for q in _queries(subject.made, n_classes) if not len(q.ids))

    def one() -> Iterator[str]:
        if len(_requests(subject.made, 1)[1]) != 1:
            yield "returns a different number"

    yield from cases({"one request": one, "two classes": querying(2), "thirty classes": querying(30)})


CHECKS: Final = (
    returns_the_requested_number,
    deletes_training_records_once,
    adds_addable_records_once,
    same_seeds_same_requests,
    leaves_the_process,
    inputs_stay_as_they_were,
    both_roles_are_queried,
    roles_are_correct,
    strata_do_not_depend_on_the_training_set,
    edge_cases,
)
