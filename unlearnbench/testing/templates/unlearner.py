"""An unlearning method: my-method."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from unlearnbench import Deletion, Fitted, FunctionUnlearner, UnlearnerPlugin, hookimpl, log_of


@dataclass(frozen=True)
class Mixed:
    """A model whose posteriors are mixed with the class shares (n_classes,)."""

    fitted: Fitted
    shares: NDArray[np.float64]
    weight: float

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log-posteriors (n, n_classes)."""
        return log_of((1 - self.weight) * np.exp(self.fitted.log_posteriors(x)) + self.weight * self.shares)


@dataclass(frozen=True)
class MyMethod(FunctionUnlearner):
    """Mix the class shares of the retain set into all posteriors: p' = (1 - w) p + w shares.

    ``weight``: w, of the shares
    """

    weight: float = 0.1

    def unlearn(self, deletion: Deletion) -> Fitted:
        """Return the unlearned model; ``deletion.fitted`` stays as it is, and draws come from ``deletion.seeds``."""
        retain = deletion.retain
        shares = np.bincount(retain.y, minlength=retain.n_classes) / max(len(retain), 1)
        return Mixed(deletion.fitted, shares, self.weight)


@hookimpl
def unlearnbench_unlearners() -> Iterator[UnlearnerPlugin]:
    """Yield the unlearner. Raise ``revision`` whenever its results change."""
    yield UnlearnerPlugin(
        name="my-method",
        summary="Mixes the class shares of the retain set into all posteriors",
        factory="my_module:MyMethod",
        reference="",
        revision=1,
        sees=("retain-set", "labels"),
    )
