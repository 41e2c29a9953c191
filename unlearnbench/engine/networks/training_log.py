"""The log of a network's training: each batch, and the weights before and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError

if TYPE_CHECKING:
    import torch

_MOST_NUMBERS = 2**28
"""In float32, so a gigabyte."""


class TrainingLog:
    """Follows a training, as ``FitTask.log``, and keeps it in memory: steps times parameters, in float32.

    UserError where these are more than 2^28 numbers.
    """

    def __init__(self) -> None:
        self.batches: list[NDArray[np.int64]] = []
        """The ids of the records of each of the T steps."""
        self._weights: list[NDArray[np.float32]] = []

    def __call__(self, ids: NDArray[np.int64], module: torch.nn.Module) -> None:
        """Take a step, or the start of the training, which comes first."""
        if self._weights:
            self.batches.append(ids)
        self._weights.append(flat(module))
        if len(self._weights) * len(self._weights[0]) > _MOST_NUMBERS:
            raise UserError(
                "the training log is over 2^28 numbers: use a smaller network, fewer epochs or larger batches"
            )

    @property
    def start(self) -> NDArray[np.float32]:
        """The parameters (P,) before the first step."""
        return self._weights[0]

    def updates(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the sum (P,) of what these steps did to the parameters, from differences in double precision."""
        total = np.zeros(len(self.start))
        for step in steps:
            total += self._weights[step + 1].astype(np.float64) - self._weights[step]
        return total

    def steps_with(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the numbers of the steps whose batch holds any of these records."""
        return np.flatnonzero([np.isin(batch, ids).any() for batch in self.batches])


def flat(module: torch.nn.Module) -> NDArray[np.float32]:
    """Return a copy of all parameters (P,) of a network, one behind the other."""
    import torch

    return torch.cat([each.detach().flatten() for each in module.parameters()]).cpu().numpy().astype(np.float32)
