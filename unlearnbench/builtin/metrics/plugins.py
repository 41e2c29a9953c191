"""The metrics that come with the package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlearnbench.builtin.papers import CARLINI, CHEN, YEOM
from unlearnbench.hooks.records import MetricPlugin
from unlearnbench.hooks.specs import hookimpl

_HERE: Final = "unlearnbench.builtin.metrics"


@hookimpl
def unlearnbench_metrics() -> Iterator[MetricPlugin]:
    """Yield the metrics."""
    for name, factory, summary, reference in (
        ("auc", "auc:Auc", "Area under the ROC curve", ""),
        ("tpr-at-fpr", "tpr_at_fpr:TprAtFpr", "True-positive rate at low false-positive rates", CARLINI),
        ("advantage", "advantage:Advantage", "Largest gap between true- and false-positive rate", YEOM),
        (
            "precision-at-prior",
            "precision_at_prior:PrecisionAtPrior",
            "Share of accusations that are right where few records are deleted",
            "Jayaraman et al. 2021, arXiv 2005.10881",
        ),
        ("deg-count", "deg_count:DegCount", "Share of records that deletion made easier to infer", CHEN),
        ("deg-rate", "deg_rate:DegRate", "How much confidence deletion adds over the classical attack", CHEN),
        (
            "identical-posteriors",
            "identical_posteriors:IdenticalPosteriors",
            "Share of records that both models answer alike",
            "",
        ),
        ("utility", "utility:Utility", "Accuracy before and after, and the time that unlearning takes", ""),
        (
            "epsilon",
            "epsilon:Epsilon",
            "What the original spent of differential privacy",
            "Abadi et al. 2016, arXiv 1607.00133",
        ),
    ):
        yield MetricPlugin(
            name=name,
            summary=summary,
            factory=f"{_HERE}.{factory}",
            reference=reference,
            primary=name == "auc",
        )
