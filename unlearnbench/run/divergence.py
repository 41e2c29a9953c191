"""How far an unlearned model's answers are from those of the model that was retrained for the same request."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.observations import Observations
from unlearnbench.core.scenarios import Role
from unlearnbench.run.released import measured_originals, requests_of

Numbers = NDArray[np.float64]

COMPARED: Final = (Role.FORGOTTEN, Role.UNSEEN)
"""The rows that are compared: those of the deleted records, and of random unseen ones."""


def divergence(rows: Observations, retrained: Observations) -> Numbers:
    """Return the mean Jensen-Shannon divergence (2, requests) of the last versions' posteriors, base 2, from 0 to 1.

    The first row is over deleted records, the second over random unseen ones. Requests are in the order of originals
    and of their requests. With a request that queries none of either the result is empty (2, 0). ValueError where the
    scenario asks the retrained models about other records.
    """
    if not len(compared_originals(rows)):
        return np.empty((2, 0))
    return np.stack([_of_role(rows, retrained, role) for role in COMPARED])


def compared_originals(rows: Observations) -> NDArray[np.int64]:
    """Return the original (m,) of each request in their order; (0,) where one queries no record to compare."""
    return measured_originals(rows, *(rows.role == role for role in COMPARED))


def _of_role(rows: Observations, retrained: Observations, role: Role) -> Numbers:
    own, other = (each.take(each.role == role) for each in (rows, retrained))
    if not np.array_equal(_asked(own), _asked(other)):
        raise ValueError("the scenario asks retrained models about other records, so that answers cannot be compared")
    _, number = np.unique(requests_of(own), return_inverse=True)
    return np.bincount(number, weights=jensen_shannon(own.last, other.last)) / np.bincount(number)


def _asked(rows: Observations) -> NDArray[np.int64]:
    return np.stack([rows.episode, rows.request, rows.record])


def jensen_shannon(one: Numbers, other: Numbers) -> Numbers:
    """Return the Jensen-Shannon divergence (n,) of log-posteriors (n, C), base 2: the mean of KL from their mean.

    It is 0 for equal posteriors and 1 for disjoint ones (Lin 1991).
    """
    middle = np.logaddexp(one, other) - np.log(2)
    halves = [(np.exp(each) * (each - middle)).sum(axis=1) / 2 for each in (one, other)]
    return np.asarray(np.clip(sum(halves) / np.log(2), 0, 1))
