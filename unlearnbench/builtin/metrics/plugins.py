"""The built-in metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlearnbench.builtin.papers import CARLINI, CHEN, FU, YEOM
from unlearnbench.hooks.records import MetricPlugin
from unlearnbench.hooks.specs import hookimpl

_HERE: Final = "unlearnbench.builtin.metrics"


@hookimpl
def unlearnbench_metrics() -> Iterator[MetricPlugin]:
    """Yield the metrics."""
    for name, factory, summary, reference in (
        ("auc", "auc:Auc", "Area under the ROC curve", ""),
        ("tpr-at-fpr", "tpr_at_fpr:TprAtFpr", "TPR at low FPRs", CARLINI),
        ("advantage", "advantage:Advantage", "TPR minus FPR at the best threshold on shadow scores", YEOM),
        (
            "precision-at-prior",
            "precision_at_prior:PrecisionAtPrior",
            "Precision where few of the queried records are deleted",
            "Jayaraman et al. 2021, arXiv 2005.10881",
        ),
        ("deg-count", "deg_count:DegCount", "Share of records whose status deletion makes easier to infer", CHEN),
        ("deg-rate", "deg_rate:DegRate", "Gain in confidence over the classical attack", CHEN),
        (
            "identical-posteriors",
            "identical_posteriors:IdenticalPosteriors",
            "Share of records whose posteriors do not change",
            "",
        ),
        (
            "utility",
            "utility:Utility",
            "Accuracy before and after, the time that unlearning takes, and what released posteriors are worth",
            "",
        ),
        (
            "epsilon",
            "epsilon:Epsilon",
            "Privacy loss of the original",
            "Abadi et al. 2016, arXiv 1607.00133",
        ),
        ("cost", "cost:Cost", "Record passes and seconds of a request, over those of retraining", ""),
        (
            "retraining-gap",
            "retraining_gap:RetrainingGap",
            "Accuracy and answers compared with the model retrained for the same request",
            "Zhao et al. 2024, arXiv 2406.01257",
        ),
        (
            "relearn-time",
            "relearn_time:RelearnTime",
            "Epochs after which a network knows the deleted records again, beside those of retraining",
            "Chundawat et al. 2023, arXiv 2201.05629",
        ),
        (
            "mia-efficacy",
            "mia_efficacy:MiaEfficacy",
            "Share of deleted records that a classifier calls unseen, beside that of retraining",
            "Jia et al. 2023, arXiv 2304.04934",
        ),
        (
            "indiscernibility",
            "indiscernibility:Indiscernibility",
            "How near an attack's accuracy is to chance",
            "Cadet et al. 2024, arXiv 2410.01276",
        ),
        (
            "one-vs-rest",
            "one_vs_rest:OneVsRest",
            "AUC of forgotten, of retained and of unseen records against the two other roles",
            FU,
        ),
        (
            "confusion",
            "confusion:Confusion",
            "Shares of forgotten, retained and unseen records that an attack names each of them",
            FU,
        ),
        (
            "epsilon-lower-bound",
            "epsilon_lower_bound:EpsilonLowerBound",
            "What an attack proves about epsilon, from one pair of records of each original",
            "Nasr et al. 2021, arXiv 2101.04535",
        ),
        (
            "klom",
            "klom:Klom",
            "Divergence of answers of unlearned from those of retrained models",
            "Georgiev et al. 2024, arXiv 2410.23232",
        ),
        (
            "forgetting-quality",
            "forgetting_quality:ForgettingQuality",
            "How little answers tell unlearned from retrained models",
            "Triantafillou et al. 2024, arXiv 2406.09073",
        ),
    ):
        yield MetricPlugin(
            name=name,
            summary=summary,
            factory=f"{_HERE}.{factory}",
            reference=reference,
            revision=2,
            primary=name == "auc",
        )
