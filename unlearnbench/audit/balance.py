"""Were unseen records drawn like the forgotten ones? Where not, a high AUC may say no more than that."""

from __future__ import annotations

import numpy as np

from unlearnbench.audit.answers import Answers
from unlearnbench.core.scenarios import Role
from unlearnbench.core.seeding import SeedPath

DRAWS = 9_999
LEVEL = 0.001
"""Below this chance of labels so different, the audit warns."""


def labels_differ(target: Answers) -> float:
    """Return the p-value of forgotten and unseen records having labels as different as seen, 1 where none are known.

    Chi-square over labels by permutation: the label counts of as many records drawn from both at random.
    """
    rows = target.rows
    forgotten, unseen = rows.label[rows.role == Role.FORGOTTEN], rows.label[rows.role == Role.UNSEEN]
    counts = np.bincount(forgotten, minlength=target.n_classes)
    both = counts + np.bincount(unseen, minlength=target.n_classes)
    expected = both * len(forgotten) / both.sum()
    rng = SeedPath(0, ("audit", "labels")).rng()
    drawn = np.vstack([counts, rng.multivariate_hypergeometric(both, len(forgotten), size=DRAWS, method="marginals")])
    there = both > 0
    distance = ((drawn - expected)[:, there] ** 2 / expected[there]).sum(axis=1)
    return float(np.mean(distance >= distance[0] * (1 - 1e-12)))
