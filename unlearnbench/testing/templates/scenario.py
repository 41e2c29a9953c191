"""A scenario: my-method."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unlearnbench import EpisodeSizes, Original, Pools, Request, Scenario, ScenarioPlugin, SeedPath, Step, hookimpl


@dataclass(frozen=True)
class MyMethod(Scenario):
    """Each request deletes a few records one after the other, and every version is published.

    ``length``: records, and versions, of a request
    """

    length: int = 2

    def deletions_needed(self, sizes: EpisodeSizes) -> int:
        """Return how many training records the requests of one original delete together."""
        return self.length * sizes.requests

    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        """Return the requests; ``pools.deletable`` come in random order already."""
        groups = pools.deletable[: self.deletions_needed(sizes)].reshape(sizes.requests, self.length)
        return [Request(tuple(Step(group[i : i + 1]) for i in range(self.length))) for group in groups]


@hookimpl
def unlearnbench_scenarios() -> Iterator[ScenarioPlugin]:
    """Yield the scenario. Raise ``revision`` whenever its results change."""
    yield ScenarioPlugin(
        name="my-method",
        summary="Records deleted one after the other",
        factory="my_module:MyMethod",
        reference="",
        revision=1,
    )
