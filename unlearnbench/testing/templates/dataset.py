"""A data set: my-method."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from unlearnbench import Dataset, DatasetPlugin, Provenance, Records, hookimpl


@dataclass(frozen=True)
class MyMethod(Dataset):
    """Points on two noisy concentric rings, which are the two classes. x in arbitrary units.

    ``rows``: number of records
    """

    rows: int = 2000

    def load(self) -> Records:
        """Return the records, the same ones in the same order on every machine."""
        rng = np.random.default_rng(0)
        y = np.arange(self.rows, dtype=np.int64) % 2
        angle, radius = rng.uniform(0, 2 * np.pi, self.rows), 1 + y + rng.normal(0, 0.3, self.rows)
        x = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
        return Records("my-method", x, y, 2, Provenance("made up", "public domain"))


@hookimpl
def unlearnbench_datasets() -> Iterator[DatasetPlugin]:
    """Yield the data set. Raise ``revision`` whenever its records change."""
    yield DatasetPlugin(
        name="my-method",
        summary="Two noisy rings, one in the other",
        factory="my_module:MyMethod",
        reference="",
        revision=1,
        licence="public domain",
    )
