"""Canaries that are rare: records far from all others, with a class that is drawn."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.datasets.other_classes import other_classes
from unlearnbench.core.records import Records
from unlearnbench.core.seeding import SeedPath, keyed_bits, keyed_uniforms
from unlearnbench.engine.scaling import Standardizer

NEIGHBOUR: Final = 5
"""Which neighbour a record must be far from."""
SAMPLE: Final = 2000
"""Among how many records, at most, neighbours are looked for: among all it would take minutes for images."""


def rare_flip(records: Records, seeds: SeedPath) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return how rare each record is (n,), and another class for each (n,), every one as likely.

    Rare is what is far from its fifth nearest neighbour in a sample of 2,000 other records (Ramaswamy et al. 2000;
    Sugiyama and Borgwardt 2013 for the sample), by Euclidean distance on standardized features. A wrong label where no
    other record tells the right one is learned from that record alone (Aerni et al. 2024, arXiv 2404.17399, for
    wrong labels as canaries).
    """
    n = len(records)
    drawn = keyed_uniforms((seeds / "label").seed(), np.arange(n))
    return _distance(records, seeds / "sample"), other_classes(records.y, records.n_classes, drawn)


def _distance(records: Records, seeds: SeedPath) -> NDArray[np.float64]:
    """Return the distance (n,) of each record to its neighbour in the sample."""
    from sklearn.neighbors import NearestNeighbors

    x, n = Standardizer.of(records.x)(records.x), len(records)
    sample = np.argsort(keyed_bits(seeds.seed(), np.arange(n)), kind="stable")[:SAMPLE]
    neighbours = min(NEIGHBOUR, len(sample) - 1)
    distance, _ = NearestNeighbors(n_neighbors=neighbours + 1).fit(x[sample]).kneighbors(x)
    own = np.isin(np.arange(n), sample)  # the nearest of these is the record itself
    return np.asarray(np.where(own, distance[:, neighbours], distance[:, neighbours - 1]))
