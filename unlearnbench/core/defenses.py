"""The contract of defenses: what changes in training, in publication or in what is released."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.options import PLAIN, TrainingOptions
from unlearnbench.core.scenarios import Request


@dataclass(frozen=True, eq=False)
class ReleaseKeys:
    """What tells two releases apart, each (n,): a defense that draws noise draws it anew for each combination.

    ``seed`` differs between target and shadow side. ``version`` is 0 for the original and v for the v-th unlearned
    model.
    """

    seed: int
    episode: NDArray[np.int64]
    request: NDArray[np.int64]
    version: NDArray[np.int64]
    record: NDArray[np.int64]


class Defense:
    """A defense: it acts at one stage and leaves the others alone. Authors start from one of the three below.

    The adversary knows the defense: its shadow models are trained, published and released under it too.
    """

    def training(self) -> TrainingOptions:
        """Return how models are to be trained, originals and unlearned ones alike."""
        return PLAIN

    def schedule(self, requests: Sequence[Request]) -> Sequence[Request]:
        """Return the requests as they are served, each by a model that is published."""
        return requests

    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:  # noqa: ARG002
        """Map log-posteriors (n, C) to the released log-posteriors (n, C), row by row, for every version alike."""
        return log_posteriors


class TrainingDefense(Defense, ABC):
    """A defense in training; models that do not know the option are skipped with the reason."""

    @abstractmethod
    def training(self) -> TrainingOptions:
        """Return how models are to be trained."""


class PublicationDefense(Defense, ABC):
    """A defense in when models are published."""

    @abstractmethod
    def schedule(self, requests: Sequence[Request]) -> Sequence[Request]:
        """Return the requests as they are served."""


class ReleaseDefense(Defense, ABC):
    """A defense at release time: posteriors in, what the adversary gets out, for every version alike."""

    @abstractmethod
    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        """Map log-posteriors (n, C) to the released log-posteriors (n, C), row by row."""
