"""Checks, before anything runs, that data sets hold enough records for the episodes of a suite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError
from unlearnbench.core.pools import EpisodeSizes, Side, side_halves, training_ids
from unlearnbench.core.records import Records
from unlearnbench.core.scenarios import Scenario
from unlearnbench.core.seeding import SeedPath
from unlearnbench.run.cells import CellGroup, ReferenceTask
from unlearnbench.run.instances import PluginInstances
from unlearnbench.suite.model import DatasetRef, PluginRef, Suite


@dataclass(frozen=True)
class Limit:
    """A size of one side with one seed, and the largest value that fits."""

    side: Side
    name: str
    value: int
    largest: int
    reason: str
    """What ``largest`` counts, such as "may be trained on"."""


def check_sizes(suite: Suite, instances: PluginInstances, fault: Callable[[DatasetRef, PluginRef], str]) -> None:
    """Raise :class:`UserError` for the first size that does not fit, naming the largest that does on every seed.

    A data set and a scenario are left out where there is a ``fault`` between them, where the scenario refuses the
    records, or where the suite excludes their cells.
    """
    for entry in suite.datasets:
        planned = [ref for ref in suite.scenarios if not suite.excluded({"dataset": entry.name, "scenario": ref.name})]
        sound = [ref for ref in planned if not fault(entry, ref) and not refused_records(entry, ref, instances)]
        if not sound:
            continue
        scenarios = [(ref, instances.make(ref, Scenario)) for ref in sound]
        _check_alike(instances.records(entry), instances.records(entry.on("shadow")))
        limits = [
            limit
            for side in get_args(Side)
            for seed in suite.seeds
            for limit in _limits(instances.records(entry.on(side)), side, suite.sizes(entry, side), scenarios, seed)
        ]
        limits += [limit for seed in suite.seeds for limit in _population_limit(instances.records(entry), entry, seed)]
        _raise_first(limits, entry, instances)


def refused_records(entry: DatasetRef, scenario: PluginRef, instances: PluginInstances) -> str:
    """Return why a scenario cannot be played with the records of either side, or "" where it can."""
    made = instances.make(scenario, Scenario)
    reasons = (made.refusal_of_records(instances.records(entry.on(side))) for side in get_args(Side))
    return next(filter(None, reasons), "")


def check_references(groups: Iterable[CellGroup], instances: PluginInstances) -> None:
    """Raise :class:`UserError` for the first size that the planned reference models cannot have, as for other sizes.

    Only what cells that are to run ask of reference models counts.
    """
    for entry, tasks in _with_references(groups).items():
        limits = [limit for task in tasks for limit in _reference_limits(instances.records(entry), entry, task)]
        _raise_first(limits, entry, instances)


def _with_references(groups: Iterable[CellGroup]) -> dict[DatasetRef, list[ReferenceTask]]:
    """Return the first reference model of each group that has some, by the data set of its cells."""
    found: dict[DatasetRef, list[ReferenceTask]] = {}
    for group in (group for group in groups if group.references):
        found.setdefault(next(iter(group.cells.values())).dataset, []).append(group.references[0])
    return found


def _raise_first(limits: Sequence[Limit], entry: DatasetRef, instances: PluginInstances) -> None:
    """Raise :class:`UserError` for the first size that is too large, with the largest that fits all of its limits."""
    for name in dict.fromkeys(limit.name for limit in limits):
        broken = [limit for limit in limits if limit.name == name and limit.value > limit.largest]
        if broken:
            worst = min(broken, key=lambda limit: limit.largest)
            raise UserError(_message(instances.records(entry.on(worst.side)), worst))


def check_episodes(records: Records, sizes: EpisodeSizes, scenario: Scenario, seed: int) -> None:
    """Raise :class:`UserError` for the first size that does not fit one data set, without any suite."""
    named = PluginRef("scenario", type(scenario).__name__)
    for side in get_args(Side):
        for limit in _limits(records, side, sizes, [(named, scenario)], seed):
            if limit.value > limit.largest:
                raise UserError(_message(records, limit))


def _check_alike(target: Records, shadow: Records) -> None:
    """Raise :class:`UserError` where an attack fitted on one data set could not read the other."""
    shapes = [f"{each.name} has {each.n_classes} classes, features {each.x.shape[1:]}" for each in (target, shadow)]
    if (target.n_classes, target.x.shape[1:]) != (shadow.n_classes, shadow.x.shape[1:]):
        raise UserError(f"shadow: {shapes[1]}, and {shapes[0]}; an adversary needs data of the same shape")


def _limits(
    records: Records, side: Side, sizes: EpisodeSizes, scenarios: list[tuple[PluginRef, Scenario]], seed: int
) -> Iterator[Limit]:
    seeds = SeedPath(seed) / records.name
    trainable, unseen = side_halves(records, side, seeds)
    yield Limit(side, "records", sizes.records, len(trainable), "may be trained on")
    single = int(np.sum(~records.has_duplicate[unseen]))
    yield Limit(side, "negatives", sizes.negatives, single, "are unseen and have no duplicate")
    plain = _fewest(~records.has_duplicate, trainable, sizes, seeds / side)
    left = f"outside a training set of {sizes.records} may be trained on and have no duplicate"
    for ref, scenario in scenarios:
        deleted, added = deleted_and_added(scenario, sizes)
        forgotten = f"records that a request of scenario {ref.name} forgets"
        deletable, addable, are = *plain, "have no duplicate"
        if (marked := scenario.eligible(records)) is not None:
            eligible, are = marked & ~records.has_duplicate, "are of its kind and have no duplicate"
            deletable, _ = _fewest(eligible, trainable, sizes, seeds / side)
            yield Limit(side, forgotten, deleted, int(eligible[unseen].sum()), f"unseen ones {are}")
        training = f"in a training set of {sizes.records} {are}"
        yield Limit(side, forgotten, deleted, min(deletable, sizes.records - 1), f"{training}, and one must stay")
        yield Limit(side, forgotten, deleted, sizes.negatives, "negatives are there to balance them with")
        fit = f"of scenario {ref.name} fit"
        if added:
            yield Limit(side, f"records that a request of scenario {ref.name} adds", added, addable, left)
            yield Limit(side, "requests", sizes.requests, addable // added, f"{fit}: {addable} records {left}")
        yield Limit(side, "requests", sizes.requests, deletable // deleted, f"{fit}: {deletable} records {training}")


def _population_limit(records: Records, entry: DatasetRef, seed: int) -> Iterator[Limit]:
    if entry.references.population:
        _, unseen = side_halves(records, "shadow", SeedPath(seed) / records.name)
        single = int(np.sum(~records.has_duplicate[unseen]))
        yield Limit("shadow", "population", entry.references.population, single, "are unseen and have no duplicate")


def _reference_limits(records: Records, entry: DatasetRef, task: ReferenceTask) -> Iterator[Limit]:
    trainable, _ = side_halves(records, "shadow", SeedPath(task.seed) / records.name)
    reason = "can be there with reference models, which would learn from them about the forgotten records"
    yield Limit("target", "matched", entry.episodes.matched, 0, reason)
    reason = "can have reference models, each trained on half of twice as many records"
    yield Limit("shadow", "records", task.records, len(trainable) // 2, reason)
    reason = f"may be queried, since reference models are trained on half of twice records={task.records} each"
    yield Limit("target", "records that requests query", task.queried, 2 * task.records, reason)
    yield Limit("shadow", "per_request", task.per_request, task.records // 2, "can be forgotten at once")


def queried_at_most(scenario: Scenario, sizes: EpisodeSizes, records: Records, seed: int) -> int:
    """Return how many distinct records are queried from all targets together, at most."""
    deleted, added = deleted_and_added(scenario, sizes)
    trainable, unseen = side_halves(records, "target", SeedPath(seed) / records.name)
    requests, single = sizes.originals * sizes.requests, ~records.has_duplicate
    held, others = requests * (deleted + added + sizes.retained), requests * (sizes.negatives + sizes.matched)
    if (marked := scenario.eligible(records)) is not None:
        single &= marked
        held = min(held, int(single[trainable].sum()))
    return held + min(others, int(single[unseen].sum()))


def deleted_and_added(scenario: Scenario, sizes: EpisodeSizes) -> tuple[int, int]:
    """Return how many records one request of a scenario deletes and adds. ValueError where it tells no such numbers."""
    needed = {
        "deletions_needed": (scenario.deletions_needed(sizes), 1),
        "additions_needed": (scenario.additions_needed(sizes), 0),
    }
    for name, (count, least) in needed.items():
        if not isinstance(count, int | np.integer) or count < least:
            raise ValueError(f"{name} must give an integer from {least} on, got {count!r:.80}")
    deleted, added = (-(-int(count) // sizes.requests) for count, _ in needed.values())
    return deleted, added


def _fewest(
    eligible: NDArray[np.bool_], trainable: NDArray[np.int64], sizes: EpisodeSizes, seeds: SeedPath
) -> tuple[int, int]:
    """Return how many ``eligible`` records any original can at least delete, and add: in its training set, outside."""
    single = eligible[trainable]
    if single.all():  # then it is the same for all originals
        deletable = min(sizes.records, len(trainable))
        return deletable, len(trainable) - deletable
    training = (training_ids(trainable, sizes, seeds / original) for original in range(sizes.originals))
    counts = [int(np.sum(eligible[ids])) for ids in training]
    return min(counts), int(single.sum()) - max(counts)


def _message(records: Records, limit: Limit) -> str:
    return (
        f"{records.name}, {limit.side} side: {limit.name}: {limit.value} is too large, {limit.largest} {limit.reason}; "
        f"the largest that fits is {limit.largest}"
    )
