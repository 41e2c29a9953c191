"""What this package offers: one hook a kind."""

from __future__ import annotations

from collections.abc import Iterator

from unlearnbench import DatasetPlugin, ModelPlugin, hookimpl


@hookimpl
def unlearnbench_datasets() -> Iterator[DatasetPlugin]:
    """Yield the data set."""
    yield DatasetPlugin(
        name="wine",
        summary="Wines of three growers by chemical analysis",
        factory="unlearnbench_wine_neighbours.wine:Wine",
        reference="Aeberhard and Forina 1992, doi 10.24432/C5PC7J",
        licence="CC BY 4.0",
    )


@hookimpl
def unlearnbench_models() -> Iterator[ModelPlugin]:
    """Yield the target model."""
    yield ModelPlugin(
        name="voting-neighbours",
        summary="Votes of the k nearest training records",
        factory="unlearnbench_wine_neighbours.nearest_neighbours:NearestNeighbours",
        reference="Cover and Hart 1967, doi 10.1109/TIT.1967.1053964",
    )
