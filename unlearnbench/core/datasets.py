"""The contract of data sets."""

from __future__ import annotations

from abc import ABC, abstractmethod

from unlearnbench.core.records import Records


class Dataset(ABC):
    """A data set. Authors must write only ``load``, which must use neither pickle nor the network."""

    @abstractmethod
    def load(self) -> Records:
        """Return the records, the same ones in the same order on every machine."""
