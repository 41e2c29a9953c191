"""What it costs to serve a request, over what retraining costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final

import numpy as np

from unlearnbench.builtin.metrics.utility import SAME_MACHINE
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.core.metrics import Utility as Models
from unlearnbench.stats import clustered_mean

NOT_COUNTED = "not counted: the unlearner does not tell its record passes"
NO_TIME = "retraining took no time that could be measured"
LEAST_MEMORY: Final = 2**19
"""Bytes; the kernel of Linux counts what a process holds to about this."""
NO_MEMORY = f"retraining held less at its peak than can be measured, {LEAST_MEMORY} bytes"


@dataclass(frozen=True)
class Cost(Metric):
    """Record passes, wall seconds and peak memory of requests, over those of retraining the same original for them.

    A record pass is one record forward and backward; retraining has as many as epochs times records of the retain set.
    Counted are what is trained and what edits and masks compute gradients of, not what teachers only answer, nor what
    is prepared once for an original. Exact unlearners count the records of the stages that they train again.

    Seconds are those of method and retraining with the same engine, on the same machine: the median over originals, so
    that imports and compilation, which the first one pays for, do not count. They are not reproducible.

    Memory is what is held at the peak while all requests of an original are served, over what was held before: the
    models are part of it, and requests that are served together share it. The median over originals too. Models on a
    CPU are measured on Linux only, by what the process holds; on a GPU it is what torch allocates there.
    """

    reads_scores: ClassVar[bool] = False
    reads_retrained: ClassVar[bool] = True

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return ``record-passes``, ``seconds-over-retraining``, and ``memory-over-retraining`` where it was measured.

        The second is undefined without retraining.
        """
        return {"record-passes": _passes(cell.utility), "seconds-over-retraining": _seconds(cell), **_memory(cell)}


def _passes(utility: Models) -> Estimate:
    if np.isnan(utility.passes).any():
        return Estimate.undefined(NOT_COUNTED)
    return clustered_mean(utility.passes, utility.episode, "positive")


def _seconds(cell: ScoredCell) -> Estimate:
    own, other = (_median(each, "seconds_to_unlearn") if each else 0.0 for each in (cell, cell.retrained))
    return _ratio(own, other, cell) if other else Estimate.undefined(NO_TIME)


def _memory(cell: ScoredCell) -> dict[str, Estimate]:
    """Return the ratio of the peaks; nothing where one was not measured."""
    own, other = (_median(each, "memory_to_unlearn") if each else np.nan for each in (cell, cell.retrained))
    if np.isnan([own, other]).any():
        return {}
    megabytes = {"megabytes": own / 1e6, "megabytes_of_retraining": other / 1e6}
    found = replace(_ratio(own, other, cell), details=megabytes) if other >= LEAST_MEMORY else None
    return {"memory-over-retraining": found or Estimate.undefined(NO_MEMORY)}


def _ratio(own: float, other: float, cell: ScoredCell) -> Estimate:
    n = len(cell.utility.episode)
    return Estimate(own / other, n=n, status="no-interval", reason=SAME_MACHINE, scale="positive")


def _median(cell: ScoredCell, name: str) -> float:
    """Return the median over originals of a number of the models that is the same for all requests of an original."""
    values, original = getattr(cell.utility, name), cell.utility.episode
    return float(np.median(values[np.unique(original, return_index=True)[1]]))
