"""CIFAR-10: colour photographs of 32 x 32 pixels."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from unlearnbench.builtin.datasets.files import DataFile, FileDataset
from unlearnbench.builtin.datasets.images import Bytes, drawn, share
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Provenance, Records

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
OFFICIAL = DataFile(
    folder="cifar10",
    name="cifar-10-binary.tar.gz",
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    origin="the CIFAR-10 page, cs.toronto.edu/~kriz/cifar.html",
    url=URL,
)
JPEG = DataFile(
    folder="cifar10_jpeg",
    name="cifar10_jpeg_q75.npz",
    sha256="5196a34d760cce49e846aa93b82b5a827b2ca160a9c3243bc1adf6da202050b9",
    origin="a JPEG mirror of CIFAR-10",
)
FIRST4000 = DataFile(
    folder="cifar10_first4000",
    name="cifar10_batch1_first4000.npz",
    sha256="5a3a42d44290a419b420982b8bebee85690907a7a4ec2535b9ce037d0c54d8cb",
    origin="the first 4,000 images of data_batch_1 of CIFAR-10",
)
MEMBERS = (*(f"cifar-10-batches-bin/data_batch_{i}.bin" for i in range(1, 6)), "cifar-10-batches-bin/test_batch.bin")
SIDE = 32
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
ROWS = {"official": 60_000, "jpeg": 60_000, "first4000": 4_000}
NOTES = {
    "official": "training and test part joined",
    "jpeg": "a lossy copy, JPEG at quality 75 (PSNR 30.5 dB); training and test part joined",
    "first4000": "the first 4,000 images of the training part",
}

Version = Literal["official", "jpeg", "first4000"]


@dataclass(frozen=True)
class Cifar10(FileDataset):
    """60,000 colour images of 32 x 32 pixels x 3 (levels 0 to 255), 10 classes.

    ``version``: the official images, a lossy JPEG copy of all of them (it needs the extra "data"), or the first 4,000

    ``size``: largest number of images, drawn by a fixed key; null for all, which take 1.5 GB
    """

    version: Version = "official"
    size: PositiveInt | None = 10_000

    def files(self) -> Sequence[DataFile]:
        """Return the file of this version; no other version is read instead."""
        return ({"official": OFFICIAL, "jpeg": JPEG, "first4000": FIRST4000}[self.version],)

    def load(self) -> Records:
        """Return the records; a UserError where the file of this version is missing."""
        n = ROWS[self.version]
        rows = drawn(n, self.size)
        x, y = {"official": _official, "jpeg": _jpeg, "first4000": _first4000}[self.version](rows)
        return Records(
            name="cifar10",
            x=np.ascontiguousarray(x, dtype=np.float64),
            y=y.astype(np.int64),
            n_classes=len(CLASSES),
            provenance=Provenance(
                source="Krizhevsky 2009, Learning multiple layers of features from tiny images, CIFAR-10",
                licence="none stated",
                note=f"{share(len(rows), n)}; {NOTES[self.version]}",
            ),
            class_names=CLASSES,
            bounds=(0, 255),
        )


def _official(rows: NDArray[np.int64]) -> tuple[Bytes, Bytes]:
    """Read the binary version: a byte of label, then the red, the green and the blue plane."""
    with OFFICIAL.open() as file, tarfile.open(fileobj=file, mode="r:gz") as archive:
        parts = [_member(archive, name) for name in MEMBERS]
    table = np.concatenate(parts).reshape(-1, 1 + 3 * SIDE * SIDE)[rows]
    return table[:, 1:].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1), table[:, 0]


def _member(archive: tarfile.TarFile, name: str) -> Bytes:
    try:
        content = archive.extractfile(name)
    except KeyError:
        content = None
    if content is None:
        raise UserError(f"holds no file {name}", where=OFFICIAL.name)
    return np.frombuffer(content.read(), np.uint8)


def _jpeg(rows: NDArray[np.int64]) -> tuple[Bytes, Bytes]:
    """Decode the JPEG copy: all images share one header, ``off_*`` are the bounds of the rest of each image."""
    try:
        from PIL import Image
    except ImportError as error:
        raise UserError('version "jpeg" needs the extra "data": pip install "unlearnbench[data]"') from error
    with JPEG.open() as file, np.load(file, allow_pickle=False) as arrays:
        header, y = arrays["header"].tobytes(), np.concatenate([arrays["y_train"], arrays["y_test"]])
        parts = [(arrays[f"scan_{part}"].tobytes(), arrays[f"off_{part}"].tolist()) for part in ("train", "test")]
    scans = [scan[start:end] for scan, offsets in parts for start, end in pairwise(offsets)]
    x = np.empty((len(rows), SIDE, SIDE, 3), dtype=np.uint8)
    for i, row in enumerate(rows):
        x[i] = np.asarray(Image.open(io.BytesIO(header + scans[row])))
    return x, y[rows]


def _first4000(rows: NDArray[np.int64]) -> tuple[Bytes, Bytes]:
    with FIRST4000.open() as file, np.load(file, allow_pickle=False) as arrays:
        return arrays["x"][rows], arrays["y"][rows]
