"""Fashion-MNIST: images of clothes in the format of MNIST, harder to classify."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from unlearnbench.builtin.datasets.files import DataFile
from unlearnbench.builtin.datasets.idx_images import NAMES, IdxImages
from unlearnbench.core.records import Provenance

MIRROR = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"  # no https; verified by its checksum
ORIGIN = "github.com/zalandoresearch/fashion-mnist, OpenML 40996"
SHA256 = (  # as published, and as Debian's dataset-fashion-mnist packs the same content
    (
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    ),
    (
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
    ),
    (
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    ),
    (
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
    ),
)
FILES = tuple(
    DataFile("fashion_mnist", name, published, ORIGIN, f"{MIRROR}/{name}", (debian,))
    for name, (published, debian) in zip(NAMES, SHA256, strict=True)
)


@dataclass(frozen=True)
class FashionMnist(IdxImages):
    """70,000 grey images of 28 x 28 pixels (levels 0 to 255), 10 kinds of clothes.

    ``size``: largest number of images, drawn by a fixed key; null for all, which take 439 MB
    """

    name: ClassVar[str] = "fashion-mnist"
    provenance: ClassVar[Provenance] = Provenance(
        source="Xiao, Rasul and Vollgraf 2017, Fashion-MNIST, arXiv 1708.07747",
        licence="MIT",
        note="training and test part joined",
    )
    class_names: ClassVar[tuple[str, ...]] = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )

    def files(self) -> Sequence[DataFile]:
        """Return the four files."""
        return FILES
