"""Ranks, clustered intervals, tests and rank sets: vectorized, and usable alone on any scores.

A *cluster* is an original model: rows that share one depend on each other, and every interval and test here allows for
it. Arguments are vectors of finite numbers, one a row; a higher score says "deleted". Other input, or vectors of
unequal length, is a ValueError; what is not defined for sound input comes back as an ``Estimate`` with the reason.
"""

from __future__ import annotations

from unlearnbench.stats.auc import auc_above_half, clustered_auc, delong_se, structural_components
from unlearnbench.stats.clusters import MIN_CLUSTERS
from unlearnbench.stats.degradation import deg_count, deg_rate, rank_deg_count, rank_deg_rate, true_confidence
from unlearnbench.stats.means import clustered_mean, t_interval
from unlearnbench.stats.multiple import holm, rank_sets, sign_flip
from unlearnbench.stats.proportions import clopper_pearson, korn_graubard
from unlearnbench.stats.ranks import auc, midranks
from unlearnbench.stats.thresholds import advantage, best_threshold, precision_at_prior
from unlearnbench.stats.tpr import tpr_at_fpr

__all__ = [
    "MIN_CLUSTERS",
    "advantage",
    "auc",
    "auc_above_half",
    "best_threshold",
    "clopper_pearson",
    "clustered_auc",
    "clustered_mean",
    "deg_count",
    "deg_rate",
    "delong_se",
    "holm",
    "korn_graubard",
    "midranks",
    "precision_at_prior",
    "rank_deg_count",
    "rank_deg_rate",
    "rank_sets",
    "sign_flip",
    "structural_components",
    "t_interval",
    "tpr_at_fpr",
    "true_confidence",
]
