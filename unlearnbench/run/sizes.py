"""Does a data set hold the episodes that a suite asks of it? Said before anything runs."""

from __future__ import annotations

from unlearnbench.core.errors import UserError
from unlearnbench.core.pools import EpisodeSizes, Side, side_halves, side_pools
from unlearnbench.core.records import Records
from unlearnbench.core.requests import Scenario
from unlearnbench.core.seeding import SeedPath
from unlearnbench.run.workshop import Workshop
from unlearnbench.suite.model import PluginRef, Suite


def check_sizes(suite: Suite, workshop: Workshop) -> None:
    """Raise :class:`UserError` naming the largest size that fits, for the first one that does not."""
    scenarios = [(ref, workshop.make(ref, Scenario)) for ref in suite.scenarios]
    for entry in suite.datasets:
        records = workshop.records(entry)
        for side in ("target", "shadow"):
            for seed in suite.seeds:
                _check_side(records, side, suite.sizes(entry, side), scenarios, seed)


def _check_side(
    records: Records, side: Side, sizes: EpisodeSizes, scenarios: list[tuple[PluginRef, Scenario]], seed: int
) -> None:
    seeds = SeedPath(seed) / records.name
    trainable, _ = side_halves(records, side, seeds)
    _fit(records, side, "records", sizes.records, len(trainable), "may be trained on")
    pools = [side_pools(records, side, sizes, original, seeds)[0] for original in range(sizes.originals)]
    _fit(records, side, "negatives", sizes.negatives, len(pools[0].unseen), "are unseen and have no twin")
    targets = min(len(pool.targets) for pool in pools)
    for ref, scenario in scenarios:
        per_request = -(-scenario.targets_needed(sizes) // sizes.requests)
        largest = targets // per_request
        where = f"of scenario {ref.name} in a training set of {sizes.records}"
        _fit(records, side, "requests", sizes.requests, largest, f"{where} find a record without a twin")
        if sizes.negatives < per_request:
            raise UserError(
                f"{records.name}, {side} side: negatives: {sizes.negatives} is fewer than the {per_request} records "
                f"that a request of scenario {ref.name} forgets; use at least {per_request}"
            )


def _fit(records: Records, side: Side, name: str, asked: int, largest: int, what: str) -> None:
    if asked > largest:
        raise UserError(
            f"{records.name}, {side} side: {name}: {asked} is too large, {largest} {what}; "
            f"the largest that fits is {largest}"
        )
