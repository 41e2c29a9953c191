"""Defenses against each other, under the reference attack and on retrained models."""

from __future__ import annotations

from collections.abc import Iterator

from unlearnbench.report.tracks.track import ACCURACY, Column, Scatter, Selected, Setting, Track

AUC = Column("auc", "AUC", "auc", ranked=True)


def _select(setting: Setting) -> Iterator[Selected]:
    return map(Selected, setting.by_reference(setting.retrained_once()))


DEFENSE = Track(
    name="defense",
    compares="defense",
    title="Defenses",
    about="AUC of {reference}, trained on defended shadow models. Models are retrained.",
    columns=(
        AUC,
        Column("auc-matched", "AUC, matched unseen", "auc-matched", in_text=False),
        Column(ACCURACY.key, ACCURACY.title, ACCURACY.metric, in_text=False),
    ),
    best="half",
    select=_select,
    scatters=(
        Scatter(
            "defense-frontier",
            "Defenses: leak and accuracy",
            "The accuracy is that of the unlearned model itself, before a defense rounds or hides its answers.",
            AUC,
            ACCURACY,
            "deletion inference AUC",
            "test accuracy",
        ),
    ),
)
