"""Many logistic regressions over the same standardized features, asked together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.posteriors import FLOOR, log_softmax
from unlearnbench.engine.logistic.objective import basis, with_ones
from unlearnbench.engine.logistic.solve import SolvedBase

_BLOCK = 2**18  # logits in a block of models, 2 MiB


@dataclass(frozen=True, eq=False)
class LogisticBank:
    """K models: ``weights`` (K, m, d + 1) on features that ``standardizer`` makes (n, d), over the ``classes`` seen.

    ``base`` is what they were solved from; it is held here to be at hand for requests as long as the models are.
    """

    weights: NDArray[np.float64]
    classes: NDArray[np.int64]
    n_classes: int
    standardizer: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    base: SolvedBase

    def log_posteriors(self, x: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the log-posteriors (len(which), n, n_classes) of these members on ``x`` (n, ...).

        Straight from the logits, so that confident ones keep their digits; classes that were lacking get the floor.
        """
        rows = with_ones(self.standardizer(x))
        full = np.full((len(which), len(x), self.n_classes), np.log(FLOOR))
        size = max(1, _BLOCK // max(1, len(x) * len(self.classes)))
        for first in range(0, len(which), size):
            part = slice(first, first + size)
            logits = basis(len(self.classes)) @ self.weights[which[part]] @ rows
            full[part, :, self.classes] = log_softmax(np.swapaxes(logits, 1, 2))
        return full
