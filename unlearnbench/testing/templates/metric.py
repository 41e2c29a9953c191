"""A metric: my-method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from unlearnbench import Estimate, Metric, MetricPlugin, ScoredCell, hookimpl


@dataclass(frozen=True)
class MyMethod(Metric):
    """The share of deleted records that score above every unseen one; its interval is clustered by original."""

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return the estimate by its name."""
        from unlearnbench.stats import clustered_mean

        rows = cell.against(cell.negative)
        positive, negative = rows.scores[rows.positive], rows.scores[~rows.positive]
        if not len(positive) or not len(negative):
            return {"my-method": Estimate.undefined("one class has no rows")}
        above_all = (positive > negative.max()).astype(float)
        return {"my-method": clustered_mean(above_all, rows.cluster[rows.positive], "share")}


@hookimpl
def unlearnbench_metrics() -> Iterator[MetricPlugin]:
    """Yield the metric. Raise ``revision`` whenever its results change."""
    yield MetricPlugin(
        name="my-method",
        summary="Share of deleted records that score above every unseen one",
        factory="my_module:MyMethod",
        reference="",
        revision=1,
    )
