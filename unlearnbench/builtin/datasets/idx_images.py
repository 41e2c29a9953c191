"""Data sets in the four files of MNIST: training and test images, training and test labels."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from pydantic import PositiveInt

from unlearnbench.builtin.datasets.files import DataFile, FileDataset
from unlearnbench.builtin.datasets.images import Bytes, drawn, read_idx, share
from unlearnbench.core.records import Provenance, Records

NAMES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


@dataclass(frozen=True)
class IdxImages(FileDataset):
    """Grey images (n, 28, 28), levels 0 to 255, in 10 classes; training and test part joined in this order."""

    name: ClassVar[str]
    provenance: ClassVar[Provenance]
    class_names: ClassVar[tuple[str, ...]]

    size: PositiveInt | None = 10_000

    @abstractmethod
    def files(self) -> Sequence[DataFile]:
        """Return the files in the order of ``NAMES``."""

    def load(self) -> Records:
        """Return the records; a UserError where a file is missing."""
        train_x, train_y, test_x, test_y = self.arrays()
        x, y = np.concatenate([train_x, test_x]), np.concatenate([train_y, test_y])
        rows = drawn(len(y), self.size)
        return Records(
            name=self.name,
            x=x[rows].astype(np.float64),
            y=y[rows].astype(np.int64),
            n_classes=10,
            provenance=replace(self.provenance, note=f"{share(len(rows), len(y))}; {self.provenance.note}"),
            class_names=self.class_names,
            bounds=(0, 255),
        )

    def arrays(self) -> tuple[Bytes, Bytes, Bytes, Bytes]:
        """Return training images (n, 28, 28), training labels (n,), and the same of the test part."""
        train_x, train_y, test_x, test_y = (self._read(file) for file in self.files())
        return train_x, train_y, test_x, test_y

    @staticmethod
    def _read(file: DataFile) -> Bytes:
        with file.open() as content:
            return read_idx(content)
