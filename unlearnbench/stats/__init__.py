"""AUC, ROC curves, TPR, means and ranks with intervals and tests for clustered rows; usable alone, on any scores.

A *cluster* is an original model. Rows of one cluster are dependent, and all intervals and tests account for this.
Arguments are vectors of finite numbers, one per row; a higher score means "deleted". ValueError for other input or
vectors of unequal length. A number that is not defined for valid input is an ``Estimate`` with the reason.
"""

from __future__ import annotations

from unlearnbench.stats.auc import auc_above_half, clustered_auc, delong_se, structural_components
from unlearnbench.stats.calibration import calibration_error
from unlearnbench.stats.clusters import MIN_CLUSTERS
from unlearnbench.stats.degradation import deg_count, deg_rate, rank_deg_count, rank_deg_rate, true_confidence
from unlearnbench.stats.means import clopper_pearson, clustered_mean, clustered_share, korn_graubard, t_interval
from unlearnbench.stats.ranking import holm
from unlearnbench.stats.ranks import auc, midranks
from unlearnbench.stats.reconstruction import deleted_direction, deleted_features, logistic_hessian, ridge_hessian
from unlearnbench.stats.roc import Roc, roc_curve
from unlearnbench.stats.significance import counts_differ, mean_above_zero
from unlearnbench.stats.thresholds import advantage, best_threshold, precision_at_prior
from unlearnbench.stats.tpr import tpr_at_fpr

__all__ = [
    "MIN_CLUSTERS",
    "Roc",
    "advantage",
    "auc",
    "auc_above_half",
    "best_threshold",
    "calibration_error",
    "clopper_pearson",
    "clustered_auc",
    "clustered_mean",
    "clustered_share",
    "counts_differ",
    "deg_count",
    "deg_rate",
    "deleted_direction",
    "deleted_features",
    "delong_se",
    "holm",
    "korn_graubard",
    "logistic_hessian",
    "mean_above_zero",
    "midranks",
    "precision_at_prior",
    "rank_deg_count",
    "rank_deg_rate",
    "ridge_hessian",
    "roc_curve",
    "structural_components",
    "t_interval",
    "tpr_at_fpr",
    "true_confidence",
]
