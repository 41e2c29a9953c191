"""MNIST: handwritten digits of 28 x 28 pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from unlearnbench.builtin.datasets.files import DataFile
from unlearnbench.builtin.datasets.idx_images import NAMES, IdxImages
from unlearnbench.builtin.datasets.images import Bytes
from unlearnbench.core.records import Provenance

MIRROR = "https://storage.googleapis.com/cvdf-datasets/mnist"
ORIGIN = "the MNIST database, OpenML 554"
SHA256 = (
    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
)
FILES = tuple(
    DataFile("mnist", name, sha256, ORIGIN, f"{MIRROR}/{name}") for name, sha256 in zip(NAMES, SHA256, strict=True)
)
TOGETHER = DataFile("mnist", "mnist.npz", "06af5dfe73b70e3bc1c36439982b18a8d76803db9b544f6fdf838a37fbb01b64", ORIGIN)
"""The same arrays in one file; used if it exists."""


@dataclass(frozen=True)
class Mnist(IdxImages):
    """70,000 grey images of 28 x 28 pixels (levels 0 to 255), 10 digits.

    ``size``: largest number of images, drawn by a fixed key; null for all, which take 439 MB
    """

    name: ClassVar[str] = "mnist"
    provenance: ClassVar[Provenance] = Provenance(
        source="LeCun, Bottou, Bengio and Haffner 1998, the MNIST database of handwritten digits",
        licence="CC-BY-SA-3.0",
        note="training and test part joined",
    )
    class_names: ClassVar[tuple[str, ...]] = tuple("0123456789")

    def files(self) -> Sequence[DataFile]:
        """Return the one file that holds all arrays if it exists, else the four files."""
        return (TOGETHER,) if TOGETHER.find() else FILES

    def arrays(self) -> tuple[Bytes, Bytes, Bytes, Bytes]:
        """Return training images (n, 28, 28), training labels (n,), and the same of the test part."""
        if not TOGETHER.find():
            return super().arrays()
        with TOGETHER.open() as file, np.load(file, allow_pickle=False) as arrays:
            return arrays["x_train"], arrays["y_train"], arrays["x_test"], arrays["y_test"]
