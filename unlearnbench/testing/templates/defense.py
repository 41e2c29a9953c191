"""A defense: my-method."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from unlearnbench import DefensePlugin, ReleaseDefense, ReleaseKeys, hookimpl, log_of


@dataclass(frozen=True)
class MyMethod(ReleaseDefense):
    """Round posteriors to a few digits, and make them sum to 1 again.

    ``digits``: after the decimal point
    """

    digits: int = 1

    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        """Map log-posteriors (n, C) to the released ones (n, C), row by row; key any draw by all of ``keys``."""
        rounded = np.round(np.exp(log_posteriors), self.digits) + 1e-9  # for rows in which all are rounded to zero
        return log_of(rounded / rounded.sum(axis=1, keepdims=True))


@hookimpl
def unlearnbench_defenses() -> Iterator[DefensePlugin]:
    """Yield the defense. Raise ``revision`` whenever its results change."""
    yield DefensePlugin(
        name="my-method",
        summary="Posteriors rounded to a few digits",
        factory="my_module:MyMethod",
        reference="",
        revision=1,
        stage="release",
    )
