"""A data set of which a share of records has another class than theirs, for scenarios that delete these."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt

from unlearnbench.core.dataset_cards import Availability, Fetchable, Located
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Records
from unlearnbench.core.seeding import SeedPath, keyed_bits, keyed_uniforms
from unlearnbench.hooks.parameters import build
from unlearnbench.hooks.registry import load_registry

Source = Literal[
    "adult",
    "breast-cancer",
    "cifar10",
    "digits",
    "fashion-mnist",
    "foursquare-nyc",
    "insta-la",
    "insta-ny",
    "location30",
    "mnist",
    "stl10",
    "us-accidents",
]
_CHOSEN, _LABEL = 0, 1
"""What a draw is for: part of its key."""


@dataclass(frozen=True)
class Mislabelled(Dataset):
    """A built-in data set in which ``share`` of the records, rounded, have another class, each other one as likely.

    Who they are and their classes are draws keyed by the name of the data set, ``draw`` and the number of the record:
    anyone can draw them again, and they do not depend on who trains on them or on the seed of a run. Models are
    trained, asked and measured with the classes as they are here, so even a perfect model has an accuracy of about
    1 - ``share``. The scenario ``mislabelled`` deletes these records.

    ``of``: the data set

    ``share``: of the records

    ``draw``: another number draws others
    """

    of: Source = "digits"
    share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    draw: NonNegativeInt = 0

    @property
    def _source(self) -> Dataset:
        source = build(load_registry(discover=False).get("dataset", self.of), {})
        assert isinstance(source, Dataset)  # noqa: S101 - for the type checker
        return source

    def availability(self) -> Availability:
        """Return where the data set is."""
        source = self._source
        return source.availability() if isinstance(source, Located) else Availability(True, "")

    def fetch(self) -> None:
        """Download the data set where it can be; UserError where not."""
        source = self._source
        if not isinstance(source, Fetchable):
            raise UserError(f"{self.of} cannot be downloaded")
        source.fetch()

    def load(self) -> Records:
        """Return the records."""
        records = self._source.load()
        wrong = self.chosen(len(records))
        note = f"{self.of} with {self.share:g} of its records mislabelled; {records.provenance.note}".rstrip("; ")
        return replace(
            records,
            name="mislabelled",
            y=np.where(wrong, self.others(records.y, records.n_classes), records.y),
            provenance=replace(records.provenance, note=note),
            mislabelled=wrong,
        )

    def chosen(self, n: int) -> NDArray[np.bool_]:
        """Return which of n records (n,) have another class."""
        order = np.argsort(keyed_bits(self._seed, _CHOSEN, np.arange(n)), kind="stable")
        wrong = np.zeros(n, dtype=np.bool_)
        wrong[order[: round(self.share * n)]] = True
        return wrong

    def others(self, y: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
        """Return for each label (n,) another one."""
        drawn = keyed_uniforms(self._seed, _LABEL, np.arange(len(y)))
        return (y + 1 + (drawn * (n_classes - 1)).astype(np.int64)) % n_classes

    @property
    def _seed(self) -> int:
        return (SeedPath(self.draw) / "mislabelled" / self.of).seed()
