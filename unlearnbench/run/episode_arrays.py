"""An episode as the store keeps it: arrays by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.observations import Observations
from unlearnbench.run.boundary_rows import BoundaryRows
from unlearnbench.run.episodes import Episode


def to_arrays(episode: Episode) -> dict[str, NDArray[np.generic]]:
    """Return an episode's arrays by the name they are stored under."""
    observed = _named("row", episode.observations)
    asked = _named("population", episode.population) if episode.population else {}
    copies = _named("copies", episode.copies) if episode.copies else {}
    boundary = _named("boundary", episode.boundary) if episode.boundary else {}
    accuracy = {f"accuracy-{name}": values for name, values in episode.accuracy.items()}
    served = {f"served-{name}": getattr(episode, name) for name in SERVED}
    again = {} if episode.relearned is None else {"relearned-epochs": episode.relearned}
    return {
        **observed,
        **asked,
        **copies,
        **boundary,
        **accuracy,
        **served,
        **again,
        "privacy-epsilon": np.array([episode.epsilon]),
    }


def _named(group: str, rows: Observations | BoundaryRows) -> dict[str, NDArray[np.generic]]:
    return {f"{group}-{f.name}": getattr(rows, f.name) for f in fields(rows)}


def from_arrays(
    arrays: Mapping[str, NDArray[np.generic]],
    seconds: Mapping[str, float],
    forget_sets: str = "",
    memory: float | None = None,
) -> Episode:
    """Return the episode that :func:`to_arrays` took apart."""
    named: dict[tuple[str, str], NDArray[Any]] = {name.partition("-")[::2]: values for name, values in arrays.items()}

    def of(wanted: str) -> dict[str, Any]:
        return {field: values for (group, field), values in named.items() if group == wanted}

    accuracy = {field: values.astype(np.float64) for field, values in of("accuracy").items()}
    epsilon, population, copies = float(of("privacy")["epsilon"][0]), of("population"), of("copies")
    boundary = of("boundary")
    return Episode(
        Observations(**of("row")),
        accuracy,
        seconds,
        **of("served"),
        epsilon=epsilon,
        population=Observations(**population) if population else None,
        forget_sets=forget_sets,
        relearned=of("relearned").get("epochs"),
        memory=math.nan if memory is None else memory,
        copies=Observations(**copies) if copies else None,
        boundary=BoundaryRows(**boundary) if boundary else None,
    )


SERVED = ("passes", "collapsed", "unmoved")
"""The fields of an episode with a number for each request."""
