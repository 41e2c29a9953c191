"""MIA-efficacy: the share of deleted records that a classifier calls unseen (Jia et al. 2023, arXiv 2304.04934)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.metrics.retraining_gap import NO_RETRAINING
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.core.scenarios import Role
from unlearnbench.stats import clustered_mean

Numbers = NDArray[np.float64]

NAMES: Final = ("mia-efficacy", "mia-efficacy-retrained", "tow-mia")
NOT_QUERIED: Final = "a request queries no deleted, no retained or no unseen record"


@dataclass(frozen=True)
class MiaEfficacy(Metric):
    """Share of deleted records that a support vector machine calls unseen, beside that of the retrained model.

    For each unlearned model it is fitted on the scores of its retained records (as members) and of as many random
    unseen ones, with C = 3 and an RBF kernel of gamma 1 (the authors' "auto" for one feature). The feature is the
    attack's score, such as log p of the true class for ``forgetting``; the authors take p. The target is the value of
    retraining, neither 0 nor 1. ``tow-mia`` is the product of one minus the absolute gaps to retraining of this share,
    of the accuracy on the retain set and of that on unseen records, averaged over requests (Zhao et al. 2024, arXiv
    2406.01257).
    """

    reads_retrained: ClassVar[bool] = True

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return ``mia-efficacy``, ``mia-efficacy-retrained`` and ``tow-mia``."""
        if cell.retrained is None:
            return dict.fromkeys(NAMES, Estimate.undefined(NO_RETRAINING))
        found, other = _by_request(cell), _by_request(cell.retrained)
        if not found or found.keys() != other.keys():
            return dict.fromkeys(NAMES, Estimate.undefined(NOT_QUERIED))
        shares, retrained = (np.array(list(each.values())) for each in (found, other))
        original = np.array([episode for episode, _ in found])
        gaps = [shares - retrained, *_accuracy_gaps(cell, cell.retrained, list(found))]
        together = np.prod([1 - np.abs(gap) for gap in gaps], axis=0)
        if cell.value_only:
            original = np.zeros_like(original)
        return {
            name: clustered_mean(values, original, "share")
            for name, values in zip(NAMES, (shares, retrained, together), strict=True)
        }


def share_called_unseen(members: Numbers, unseen: Numbers, asked: Numbers) -> float:
    """Return the share of ``asked`` that is called unseen by a classifier of features (n, d) of the other two."""
    from sklearn.svm import SVC

    known = np.concatenate([members, unseen])
    classifier = SVC(C=3, kernel="rbf", gamma="auto", random_state=0)  # without it, it would draw from numpy.random
    classifier.fit(known, np.arange(len(known)) < len(members))
    return float(1 - classifier.predict(asked).mean())


def _by_request(cell: ScoredCell) -> dict[tuple[int, int], float]:
    """Return the share of each (original, request); empty where one of them has no rows of some kind."""
    pairs = np.unique(np.stack([cell.episode, cell.request]), axis=1).T
    found = {(int(e), int(r)): _share(cell.take((cell.episode == e) & (cell.request == r))) for e, r in pairs}
    return {} if None in found.values() else {pair: share for pair, share in found.items() if share is not None}


def _share(request: ScoredCell) -> float | None:
    roles = (Role.RETAINED, Role.UNSEEN, Role.FORGOTTEN)
    members, unseen, asked = (_scores_of(request, role) for role in roles)
    n = min(len(members), len(unseen))
    return share_called_unseen(members[:n], unseen[:n], asked) if n and len(asked) else None


def _scores_of(request: ScoredCell, role: Role) -> Numbers:
    """Return the scores (n, 1) of the rows of one role by position."""
    chosen = np.flatnonzero(request.has_role(role))
    return request.scores[chosen[np.argsort(request.position[chosen], kind="stable")]][:, None]


def _accuracy_gaps(cell: ScoredCell, retrained: ScoredCell, requests: list[tuple[int, int]]) -> list[Numbers]:
    """Return the gaps of the accuracy on the retain set and on unseen records for chosen requests."""
    own, other = cell.utility, retrained.utility
    originals, numbers = np.array(requests).T
    rows = np.searchsorted(own.episode, originals) + numbers
    return [
        own.train_accuracy_unlearned[rows] - other.train_accuracy_unlearned[rows],
        own.test_accuracy_unlearned[rows] - other.test_accuracy_unlearned[rows],
    ]
