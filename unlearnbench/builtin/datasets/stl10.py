"""STL-10: colour photographs of 96 x 96 pixels, few of them labelled."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import PositiveInt

from unlearnbench.builtin.datasets.files import DataFile, FileDataset
from unlearnbench.builtin.datasets.images import Bytes, drawn, share
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Provenance, Records

FILE = DataFile(
    folder="stl10",
    name="stl10_binary.tar.gz",
    sha256="f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866",
    origin="the STL-10 page, cs.stanford.edu/~acoates/stl10",
    url="http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",  # no https; verified by its checksum
)
MEMBERS = tuple(f"stl10_binary/{name}.bin" for name in ("train_X", "train_y", "test_X", "test_y"))
SIDE = 96
CLASSES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")


@dataclass(frozen=True)
class Stl10(FileDataset):
    """13,000 colour images of 96 x 96 pixels x 3 (levels 0 to 255), 10 classes; the unlabelled images are left out.

    ``size``: largest number of images, drawn by a fixed key: 2,000 take 442 MB; null for all, which take 2.9 GB
    """

    size: PositiveInt | None = 2_000

    def files(self) -> Sequence[DataFile]:
        """Return the archive, a download of 2.6 GB."""
        return (FILE,)

    def load(self) -> Records:
        """Return the records; a UserError where the archive is missing. Unpacking it takes about a minute."""
        train_x, train_y, test_x, test_y = _labelled()
        x = np.concatenate([train_x, test_x]).reshape(-1, 3, SIDE, SIDE)  # colour, column, row
        y = np.concatenate([train_y, test_y])
        rows = drawn(len(y), self.size)
        return Records(
            name="stl10",
            x=np.ascontiguousarray(x[rows].transpose(0, 3, 2, 1), dtype=np.float64),
            y=y[rows].astype(np.int64) - 1,
            n_classes=len(CLASSES),
            provenance=Provenance(
                source="Coates, Lee and Ng 2011, An analysis of single-layer networks in unsupervised feature "
                "learning, STL-10",
                licence="none stated",
                note=f"{share(len(rows), len(y))}; labelled training and test part joined",
            ),
            class_names=CLASSES,
            bounds=(0, 255),
        )


def _labelled() -> list[Bytes]:
    """Return ``MEMBERS``. The archive is read as a stream up to the last of these, not the large unlabelled part."""
    found: dict[str, Bytes] = {}
    with FILE.open() as file, tarfile.open(fileobj=file, mode="r|gz") as archive:
        for member in archive:
            if member.name in MEMBERS and (content := archive.extractfile(member)):
                found[member.name] = np.frombuffer(content.read(), np.uint8)
            if len(found) == len(MEMBERS):
                return [found[name] for name in MEMBERS]
    raise UserError(f"holds only {len(found)} of the {len(MEMBERS)} labelled parts", where=FILE.name)
