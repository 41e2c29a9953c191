"""Data sets that are made from a built-in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unlearnbench.core.dataset_cards import Availability, Fetchable, Located
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.errors import UserError
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


@dataclass(frozen=True)
class Derived(Dataset):
    """A data set made from the built-in one ``of``: it is where that is."""

    of: Source = "digits"

    @property
    def source(self) -> Dataset:
        """The data set that it is made from."""
        source = build(load_registry(discover=False).get("dataset", self.of), {})
        assert isinstance(source, Dataset)  # noqa: S101 - for the type checker
        return source

    def availability(self) -> Availability:
        """Return where the data set is."""
        source = self.source
        return source.availability() if isinstance(source, Located) else Availability(True, "")

    def fetch(self) -> None:
        """Download the data set where it can be; UserError where not."""
        source = self.source
        if not isinstance(source, Fetchable):
            raise UserError(f"{self.of} cannot be downloaded")
        source.fetch()
