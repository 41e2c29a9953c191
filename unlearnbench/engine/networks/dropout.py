"""Which units dropout leaves out, drawn so that deleting a record moves nobody else's draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.seeding import keyed_uniforms


def unit_scales(seed: int, epoch: int, ids: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return by what each unit of each record is multiplied in training, (n, units): 0, or 1 / (1 - its share).

    ``ids`` (n,): the records · ``shares`` (units,): how probable it is that a unit is left out. Each draw is keyed by
    (``seed``, ``epoch``, record, unit): it depends neither on the batch nor on who else is there. As those that stay
    are scaled up, nothing is scaled when the network answers (Srivastava et al. 2014, JMLR 15, "inverted").
    """
    draws = keyed_uniforms(seed, epoch, ids[:, np.newaxis], np.arange(len(shares)))
    return np.where(draws < shares, 0.0, 1 / (1 - shares)).astype(np.float32)
