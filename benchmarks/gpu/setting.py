"""Where and on how much a run of this program trains, and the records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.options import PLAIN, TrainingOptions
from unlearnbench.core.records import Provenance, Records, Step, TrainingSet


@dataclass(frozen=True)
class Size:
    """How much is trained."""

    records: int
    """Rows of a table to train on."""
    epochs: int
    """Passes over them."""
    stack: int
    """Networks that are trained together."""
    requests: int
    """Requests that gradient methods serve together."""
    few: int
    """Networks and requests that are trained one by one."""
    images: int
    """Images that the small convolutional network trains on."""
    side: int
    """Their pixels each way."""
    photos: int
    """Images that the residual network trains on."""
    photo_side: int
    """Their pixels each way, where they are made up."""
    few_photos: int
    """Images that the residual network trains on where a CPU does so too."""


SIZES = {
    "full": Size(2000, 3, 512, 64, 4, 640, 28, 3000, 32, 128),
    "tiny": Size(96, 1, 20, 5, 2, 32, 8, 24, 16, 16),
}


@dataclass(frozen=True)
class Setting:
    """What the parts are given."""

    device: str
    """``cuda``, or ``cpu`` for a dry run."""
    size: Size
    real_photos: bool
    """Whether CIFAR-10 is used where it is at hand."""


def table(n: int, features: int = 14) -> Records:
    """Return made-up rows of two classes that overlap."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, features))
    y = (x @ rng.normal(size=features) + rng.normal(size=n) > 0).astype(np.int64)
    return Records("made-up table", x, y, 2, Provenance("made up", "none"))


def images(n: int, side: int, channels: int) -> Records:
    """Return made-up images (side, side, channels) of ten classes: a pattern of the class under noise."""
    rng = np.random.default_rng(0)
    y = rng.permutation(n) % 10
    x = rng.normal(size=(10, side, side, channels))[y] + 2 * rng.normal(size=(n, side, side, channels))
    return Records("made-up images", x, y, 10, Provenance("made up", "none"), bounds=(x.min(), x.max()))


def tasks(records: Records, n: int, k: int, options: TrainingOptions = PLAIN) -> Sequence[FitTask]:
    """Return ``k`` trainings on the first ``n`` records, each without one of them."""
    data = TrainingSet.of(records, np.arange(n))
    return [FitTask(data.after(Step(np.array([r % n]))), Seeds(7, 0, 0), options=options) for r in range(k)]
