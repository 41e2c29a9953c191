"""Unlearners against each other, on two axes: what a deletion reveals, and what the unlearned model still remembers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unlearnbench.report.tracks.track import (
    ACCURACY,
    SURELY_FOUND,
    Column,
    RowWithSeeds,
    Scatter,
    Selected,
    Setting,
    Track,
)

FORGETTING = "forgetting"
"""The name of the paired row: the same models under the baseline that queries the unlearned model only, or under the
first other attack that does where there is none."""

PER_RECORD = ("u-lira", "rmia")
"""The names of the paired rows: the same models under the first attack of that name, which reads reference models."""

STRONGEST = "strongest"
"""The name of the paired row: the same models under the attack on both models that has the highest AUC there."""

DELETION_INFERENCE_AUC = Column("deletion-inference", "deletion inference AUC", "auc", ranked=True)
FORGETTING_AUC = Column(
    "forgetting",
    "forgetting AUC",
    "auc",
    paired=FORGETTING,
    ranked=True,
    must_find="none",  # the control that keeps the original: what it remembers, a method could forget
)

FORGETTING_PER_RECORD = tuple(
    Column(
        f"forgetting-{name}",
        f"forgetting AUC, {name}",
        "auc",
        paired=name,
        ranked=True,
        must_find="none",
        optional=True,
    )
    for name in PER_RECORD
)
HIGHEST = Column("highest", "highest AUC", "auc", paired=STRONGEST, names_attack=True)
MOST_PASSES = 0.2
"""The most record passes of a call, over those of a retraining, that are not marked."""
TEST_GAP = Column("test-accuracy-gap", "gap to retraining", "test-accuracy-gap", optional=True)
RECORD_PASSES = Column("record-passes", "record passes", "record-passes", most=MOST_PASSES, optional=True)


def _select(setting: Setting) -> Iterator[Selected]:
    """Yield one line for each unlearner and model, models together."""
    on_models: dict[tuple[str, str], list[RowWithSeeds]] = {}
    for found in setting.undefended(setting.rows):
        on_models.setdefault(_models(found), []).append(found)
    for found in setting.by_reference(setting.undefended(setting.rows)):
        others = on_models[_models(found)]
        paired = {FORGETTING: _forgetting(setting, others), STRONGEST: setting.strongest(others)}
        paired |= {name: _of_attack(name, others) for name in PER_RECORD}
        yield Selected(found, {name: row for name, row in paired.items() if row})


def _forgetting(setting: Setting, rows: Iterable[RowWithSeeds]) -> RowWithSeeds | None:
    roles = [(setting.roles.of_plugin(row.row.axes["attack"]), row) for row in rows]
    alone = [(role.role, row) for role, row in roles if role.versions == "unlearned"]
    return next((row for role, row in sorted(alone, key=lambda found: found[0] != "baseline")), None)


def _of_attack(name: str, rows: Iterable[RowWithSeeds]) -> RowWithSeeds | None:
    return next((row for row in rows if row.row.axes["attack"].name == name), None)


def _models(found: RowWithSeeds) -> tuple[str, str]:
    return found.row.names["model"], found.row.names["unlearner"]


UNLEARNER = Track(
    name="unlearner",
    compares="unlearner",
    title="Unlearners",
    about="Two axes, never one: deletion inference ({reference} AUC, queries both models) and forgetting (AUC of an "
    "attack that queries the unlearned model only). The highest AUC is that of the attack beside it, the best here of "
    "all entries that query both models; as the highest of several it is biased upwards. Surely found is a lower bound "
    "of it with a probability of 97.5 %, corrected for the choice (Bonferroni). Keeping the original model is "
    "perfect on the first axis and worst on the second, so this table is sorted by neither; each axis has its own "
    "ranks. Record passes are those of a request over those of retraining for it; above .2 they are marked.",
    columns=(
        DELETION_INFERENCE_AUC,
        HIGHEST,
        Column("surely-found", "surely found", SURELY_FOUND, paired=STRONGEST),
        FORGETTING_AUC,
        *FORGETTING_PER_RECORD,
        Column("deletion-inference-matched", "deletion inference AUC, matched unseen", "auc-matched", in_text=False),
        ACCURACY,
        TEST_GAP,
        Column("tug-of-war", "tug-of-war", "tug-of-war", optional=True),
        Column("divergence", "divergence", "divergence-unseen", optional=True, in_text=False),
        RECORD_PASSES,
        Column("seconds", "seconds over retraining", "seconds-over-retraining", optional=True, in_text=False),
        Column("memory", "peak memory over retraining", "memory-over-retraining", optional=True, in_text=False),
    ),
    best="half",
    select=_select,
    sort="suite",
    scatters=(
        Scatter(
            "axes",
            "Unlearners on both axes",
            "Where the dashed lines cross, attacks do no better than chance: neither with both models nor with the "
            "unlearned model alone.",
            DELETION_INFERENCE_AUC,
            FORGETTING_AUC,
            "deletion inference AUC",
            "forgetting AUC",
        ),
        Scatter(
            "unlearner-frontier",
            "Unlearners: leak and accuracy",
            "What a deletion reveals, against the accuracy of the unlearned model. Further left leaks less.",
            DELETION_INFERENCE_AUC,
            ACCURACY,
            "deletion inference AUC",
            "test accuracy",
        ),
    ),
)
