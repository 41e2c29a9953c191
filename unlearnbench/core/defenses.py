"""The contract of defenses: changes to training, to when models are published, or to released posteriors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.arrays import ReadOnlyArrays
from unlearnbench.core.options import PLAIN, TrainingOptions
from unlearnbench.core.scenarios import Request


@dataclass(frozen=True, eq=False)
class ReleaseKeys(ReadOnlyArrays):
    """What identifies a release, arrays (n,): a defense that adds noise draws it for each combination of these."""

    seed: int
    """Differs between the target and the shadow side."""
    episode: NDArray[np.int64]
    request: NDArray[np.int64]
    version: NDArray[np.int64]
    """0 for the original, v for the v-th unlearned model."""
    record: NDArray[np.int64]


class Defense:
    """A defense: it acts at one stage and changes nothing at the others. Authors subclass one of the three below.

    The adversary knows the defense, so its shadow models are trained, published and released under it too.
    """

    keeps_label: ClassVar[bool] = True
    """Whether the most probable class of every released row is that of the model, of equal ones the first."""

    def training(self) -> TrainingOptions:
        """Return how models are trained, originals and unlearned models alike."""
        return PLAIN

    def schedule(self, requests: Sequence[Request]) -> Sequence[Request]:
        """Return the requests as they are served; the model that serves each one is published."""
        return requests

    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:  # noqa: ARG002
        """Map log-posteriors (n, C) to the released log-posteriors (n, C), row by row, for every version alike."""
        return log_posteriors


class TrainingDefense(Defense, ABC):
    """A defense in training. Cells whose model lacks the training option are skipped, with the reason."""

    @abstractmethod
    def training(self) -> TrainingOptions:
        """Return how models are trained."""


class PublicationDefense(Defense, ABC):
    """A defense that changes when models are published."""

    @abstractmethod
    def schedule(self, requests: Sequence[Request]) -> Sequence[Request]:
        """Return the requests as they are served."""


class ReleaseDefense(Defense, ABC):
    """A defense that changes released posteriors, of the original and of every unlearned version.

    One that declares ``keeps_label`` changes no label, and what a label-only search of the models finds is the same.
    """

    keeps_label: ClassVar[bool] = False

    @abstractmethod
    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        """Map log-posteriors (n, C) to the released log-posteriors (n, C), row by row."""
