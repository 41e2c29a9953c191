"""Attacks against each other, on retrained models without a defense."""

from __future__ import annotations

from collections.abc import Iterator

from unlearnbench.report.tracks.track import Column, Selected, Setting, Track


def _select(setting: Setting) -> Iterator[Selected]:
    return map(Selected, setting.undefended(setting.retrained_once()))


ATTACK = Track(
    name="attack",
    compares="attack",
    title="Attacks",
    about="AUC of distinguishing deleted records from unseen ones. Models are retrained without the deleted records, "
    "and there is no defense. Chance is .5.",
    columns=(
        Column("auc", "AUC", "auc", ranked=True),
        Column("auc-matched", "AUC, matched unseen", "auc-matched", in_text=False),
        Column("auc-retained", "AUC, retained", "auc-retained", in_text=False),
        Column("tpr-at-fpr-0.01", "TPR at 1 % FPR", "tpr-at-fpr-0.01", in_text=False),
    ),
    best="high",
    select=_select,
)
