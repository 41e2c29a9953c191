"""The built-in attacks: those of Chen et al., by score, by reference models, by label, and the controls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlearnbench.builtin.papers import (
    CARLINI,
    CHEN,
    CHOQUETTE,
    FU,
    HAYES,
    JAGIELSKI,
    NADERLOUI,
    WANG,
    YE,
    YEOM,
    ZARIFZADEH,
)
from unlearnbench.core.versions import Versions
from unlearnbench.hooks.records import AttackPlugin
from unlearnbench.hooks.specs import hookimpl

_HERE: Final = "unlearnbench.builtin.attacks"


@hookimpl
def unlearnbench_attacks() -> Iterator[AttackPlugin]:
    """Yield the attacks: those of Chen et al., by score, by reference models, by label, and the controls."""
    yield from _attacks_on_features()
    yield from _attacks_by_score()
    yield from _attacks_by_reference()
    yield from _attacks_by_label()
    yield from _control_attacks()


def _attacks_on_features() -> Iterator[AttackPlugin]:
    """Yield the attacks that learn from a feature of both posteriors, and their baseline."""
    for name, factory, summary in (
        ("direct-concat", "direct_concat:DirectConcat", "Learns from both posteriors, side by side"),
        (
            "sorted-concat",
            "sorted_concat:SortedConcat",
            "Learns from both posteriors, classes sorted by the original's posteriors",
        ),
        ("direct-diff", "direct_diff:DirectDiff", "Learns from the difference of the posteriors"),
        (
            "sorted-diff",
            "sorted_diff:SortedDiff",
            "Learns from the difference of the posteriors, classes sorted by the original's posteriors",
        ),
        ("euclidean", "euclidean:Euclidean", "Learns from the Euclidean distance between the posteriors"),
    ):
        yield AttackPlugin(name=name, summary=summary, factory=f"{_HERE}.{factory}", reference=CHEN, revision=2)
    yield AttackPlugin(
        name="ensemble",
        summary="Learns from all these features together",
        factory=f"{_HERE}.ensemble:Ensemble",
        reference=WANG,
        revision=2,
    )
    yield AttackPlugin(
        name="several-queries",
        summary="Learns from the label's posteriors of noisy copies too, and sorted differences of the record's",
        factory=f"{_HERE}.several_queries:SeveralQueries",
        label=True,
    )
    yield AttackPlugin(
        name="classical",
        summary="Membership inference on the original alone: the baseline",
        factory=f"{_HERE}.classical:Classical",
        reference="Salem et al. 2019, arXiv 1806.01246",
        revision=2,
        versions="original",
        role="baseline",
    )


def _attacks_by_score() -> Iterator[AttackPlugin]:
    """Yield the attacks that are a formula of the true class's posterior, and one that chooses among attacks."""
    yield AttackPlugin(
        name="score-diff",
        summary="By how much the score of the true class falls",
        factory=f"{_HERE}.score_diff:ScoreDiff",
        reference=JAGIELSKI,
        label=True,
    )
    yield AttackPlugin(
        name="delta",
        summary="The largest fall of the score of the true class between consecutive versions",
        factory=f"{_HERE}.delta:Delta",
        reference=JAGIELSKI,
        label=True,
    )
    yield AttackPlugin(
        name="score-ratio",
        summary="By which factor the score of the true class falls",
        factory=f"{_HERE}.score_ratio:ScoreRatio",
        reference=JAGIELSKI,
        label=True,
    )
    yield AttackPlugin(
        name="gap",
        summary="Whether the label was right before and is wrong now",
        factory=f"{_HERE}.gap:Gap",
        reference=YEOM,
        label=True,
    )
    yield AttackPlugin(
        name="tri-class",
        summary="Learns to tell forgotten, retained and unseen records apart",
        factory=f"{_HERE}.tri_class:TriClass",
        reference=FU,
        label=True,
    )
    yield AttackPlugin(
        name="strongest",
        summary="The attack that is best on shadow models",
        factory=f"{_HERE}.strongest:Strongest",
        label=True,
    )
    yield AttackPlugin(
        name="forgetting",
        summary="Membership inference on the unlearned model alone: is the record forgotten",
        factory=f"{_HERE}.forgetting:Forgetting",
        reference=YEOM,
        versions="unlearned",
        label=True,
        role="baseline",
    )


def _attacks_by_reference() -> Iterator[AttackPlugin]:
    """Yield the attacks that compare a model's answer with those of reference models, or of a population."""
    for name, factory, summary, reference in (
        ("lira", "lira:Lira", "Likelihood ratio of a record being in the training set or not", CARLINI),
        (
            "lira-offline",
            "lira_offline:LiraOffline",
            "How unlikely the answer is for models without the record",
            CARLINI,
        ),
        (
            "lira-offline-density",
            "lira_offline:LiraOfflineDensity",
            "The offline statistic of LiRA's published code: minus the log of a density",
            CARLINI,
        ),
        ("u-lira", "u_lira:ULira", "Likelihood ratio of a record being unlearned or never seen", HAYES),
        ("ruli", "ruli:Ruli", "The likelihood ratio of u-lira by kernel density estimates", NADERLOUI),
        ("rmia", "rmia:Rmia", "Share of a population that a record's likelihood ratio exceeds", ZARIFZADEH),
        ("population", "population:Population", "Share of a population with a higher loss than the record", YE),
    ):
        yield AttackPlugin(
            name=name,
            summary=summary,
            factory=f"{_HERE}.{factory}",
            reference=reference,
            versions="unlearned",
            label=True,
        )
    for name, factory, summary, reference in (
        (
            "u-lira-pair",
            "u_lira_pair:ULiraPair",
            "The likelihood ratio of u-lira for the answers before and after unlearning together",
            "",
        ),
        ("update-lira", "update_lira:UpdateLira", "By how much LiRA's likelihood ratio falls", JAGIELSKI),
        (
            "iam",
            "iam:Iam",
            "Where the answer lies between those of models without the record and that of the original",
            WANG,
        ),
    ):
        yield AttackPlugin(name=name, summary=summary, factory=f"{_HERE}.{factory}", reference=reference, label=True)


def _attacks_by_label() -> Iterator[AttackPlugin]:
    """Yield the label-only attacks that ask about points around a record."""
    for name, factory, versions, summary in _BY_LABEL:
        yield AttackPlugin(
            name=name,
            summary=summary,
            factory=f"{_HERE}.{factory}",
            reference=CHOQUETTE,
            versions=versions,
            label=True,
        )


_BY_LABEL: Final[tuple[tuple[str, str, Versions, str], ...]] = (
    (
        "augmentation",
        "augmentation:Augmentation",
        "unlearned",
        "Label-only: share of noisy copies that the unlearned model gives the label",
    ),
    ("augmentation-fall", "augmentation:AugmentationFall", "both", "Label-only: by how much that share falls"),
    (
        "noise-robustness",
        "noise_robustness:NoiseRobustness",
        "unlearned",
        "Label-only: how far noise can move the record until the unlearned model gives another label",
    ),
    (
        "noise-robustness-fall",
        "noise_robustness:NoiseRobustnessFall",
        "both",
        "Label-only: by how much that distance falls",
    ),
    (
        "boundary",
        "boundary:Boundary",
        "unlearned",
        "Label-only: how far the record is from the decision boundary of the unlearned model",
    ),
    ("boundary-fall", "boundary:BoundaryFall", "both", "Label-only: by how much that distance falls"),
)


def _control_attacks() -> Iterator[AttackPlugin]:
    """Yield the controls: chance, the record without any model, and the true answer."""
    yield AttackPlugin(
        name="random",
        summary="Random scores",
        factory=f"{_HERE}.random:Random",
        revision=2,
        versions="none",
        role="control",
    )
    yield AttackPlugin(
        name="blind",
        summary="Reads the record and queries no model: above chance, deleted and unseen records differ",
        factory=f"{_HERE}.blind:Blind",
        reference="Das et al. 2024, arXiv 2406.16201",
        versions="none",
        label=True,
        features=True,
        role="control",
        tests_sample=True,
    )
    yield AttackPlugin(
        name="oracle-label",
        summary="Scores the true answer: the best possible values",
        factory=f"{_HERE}.oracle_label:OracleLabel",
        versions="none",
        role="control",
        knows_truth=True,
    )
