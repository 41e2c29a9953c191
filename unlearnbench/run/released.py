"""What the released posteriors of unlearned models are worth to honest users."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.observations import Observations
from unlearnbench.core.posteriors import true_class
from unlearnbench.stats import calibration_error

Numbers = NDArray[np.float64]
Chosen = NDArray[np.bool_]


def released_utility(rows: Observations, measured: Chosen) -> Numbers:
    """Return accuracy, log loss (natural logarithm) and calibration error (3, m) of the last version of each request.

    ``rows`` are target rows as a defense releases them; those ``measured`` (n,) are the test set. Requests are in the
    order of originals and of their requests. The calibration error is computed over all requests of an original
    together, because it needs many records, and is the same for each of them. With a request that has no such row the
    result is empty (3, 0).
    """
    if not len(measured_originals(rows, measured)):
        return np.empty((3, 0))
    unseen = rows.take(measured)
    last = unseen.last
    correct, confidence = last.argmax(axis=1) == unseen.label, np.exp(last.max(axis=1)).clip(max=1.0)
    _, first, number = np.unique(requests_of(unseen), return_index=True, return_inverse=True)
    count = np.bincount(number)
    accuracy = np.bincount(number, weights=correct) / count
    log_loss = np.bincount(number, weights=-true_class(last, unseen.label)) / count
    errors = {
        original: calibration_error(correct[own], confidence[own])
        for original in np.unique(unseen.episode)
        for own in [unseen.episode == original]
    }
    return np.stack([accuracy, log_loss, np.array([errors[original] for original in unseen.episode[first]])])


def measured_originals(rows: Observations, *measured: Chosen) -> NDArray[np.int64]:
    """Return the original (m,) of each request in their order; (0,) where one has no row of one choice (n,) of rows."""
    requests = requests_of(rows)
    number, first = np.unique(requests, return_index=True)
    if any(len(np.unique(requests[chosen])) < len(number) for chosen in measured):
        return np.empty(0, dtype=np.int64)
    return rows.episode[first]


def requests_of(rows: Observations) -> NDArray[np.int64]:
    """Return one number for each original and request (n,), ascending with the original, then with the request."""
    return np.asarray(rows.episode * (rows.request.max(initial=0) + 1) + rows.request)
