"""The contract of defenses that change what is released."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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


class ReleaseDefense(ABC):
    """A defense at release time: posteriors in, what the adversary gets out, for every version alike.

    The adversary knows the defense: its shadow posteriors pass through it too.
    """

    @abstractmethod
    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        """Map log-posteriors (n, C) to the released log-posteriors (n, C), row by row."""
