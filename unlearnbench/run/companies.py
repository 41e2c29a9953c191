"""The target rows that an attack is shown in one view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.observations import Observations

Indices = NDArray[np.int64]


class Company(NamedTuple):
    """The target rows that an attack is shown in one view."""

    parts: tuple[int, ...]
    """What names it among the companies of a game."""
    rows: Indices
    """Their indices among all target rows."""
    distinct: Indices
    """The first row of each queried record among them."""
    inverse: Indices
    """``distinct[inverse]`` are rows of the same queried records as ``rows``."""


def companies(target: Observations, chosen: Indices, kind: NDArray[np.int64]) -> Iterator[Company]:
    """Yield the chosen rows by original and ``kind`` (n,)."""
    _, group = np.unique(np.stack([target.episode, kind])[:, chosen], axis=1, return_inverse=True)
    order = np.argsort(group, kind="stable")
    for places in np.split(order, np.flatnonzero(np.diff(group[order])) + 1) if len(chosen) else ():
        rows = chosen[places]
        queried = np.stack([target.request[rows], target.record[rows]])
        _, first, inverse = np.unique(queried, axis=1, return_index=True, return_inverse=True)
        yield Company((int(target.episode[rows[0]]), int(kind[rows[0]])), rows, rows[first], inverse)
