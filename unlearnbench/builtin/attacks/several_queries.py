"""SeveralQueries: what both models answer about a record and about noisy copies of it, with the label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.feature_attack import FeatureAttack, both_posteriors
from unlearnbench.builtin.attacks.features import SortBy, sorted_diff
from unlearnbench.builtin.attacks.noisy_labels import Copies
from unlearnbench.core.copies import SCALES
from unlearnbench.core.observations import Needs, View

SMALL = SCALES[:3]
"""The scales at which copies are read: those of larger ones lie too far away to tell of the record."""


@dataclass(frozen=True)
class SeveralQueries(FeatureAttack):
    """Learn from the feature of ``sorted-diff`` and from the label's posteriors, of the record and of its noisy copies.

    Where the operator trains again with fresh draws, posteriors move everywhere. Copies show by how much they move
    around the record, and how much models differ there: of the label's posteriors, before and after, the mean and the
    standard deviation over copies at each of the scales .1, .2 and .4 are features.

    ``model``: the classifier

    ``sort_by``: the posteriors by which classes are sorted, as of ``sorted-diff``

    ``copies``: of each record, at each scale
    """

    sort_by: SortBy = "original"
    copies: Copies = 8

    @property
    def needs(self) -> Needs:
        """The answers of both models, the label, and copies."""
        return Needs(label=True, copies=self.copies)

    def feature(self, view: View) -> NDArray[np.float64]:
        """Return the sorted difference, the label's posteriors, and their mean and spread over copies (n, C + 14)."""
        before, after = both_posteriors(view)
        own = _of_label(before, view), _of_label(after, view)
        around = [feature for answers in (view.copies.before, view.copies.after) for feature in _around(answers, view)]
        return np.column_stack([sorted_diff(before, after, self.sort_by), *own, *around])


def _around(answers: NDArray[np.float64], view: View) -> list[NDArray[np.float64]]:
    """Return mean and standard deviation over copies of the label's posterior, each (n, S) for the small scales."""
    posterior = _of_label(np.exp(answers[:, :, : len(SMALL)]), view)
    return [posterior.mean(axis=1), posterior.std(axis=1)]


def _of_label(posteriors: NDArray[np.float64], view: View) -> NDArray[np.float64]:
    """Return the posterior of each row's label, (n, ..., C) -> (n, ...)."""
    return np.moveaxis(posteriors, -1, 1)[np.arange(len(posteriors)), view.label]
