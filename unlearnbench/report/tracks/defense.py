"""Defenses against each other, under the reference attack and on retrained models."""

from __future__ import annotations

from collections.abc import Iterator

from unlearnbench.report.tracks.track import Column, Scatter, Selected, Setting, Track

AUC = Column("auc", "AUC", "auc", ranked=True)
ACCURACY = Column("released-accuracy", "released accuracy", "released-test-accuracy", in_text=False)


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
        ACCURACY,
        Column("released-log-loss", "released log loss", "released-log-loss", in_text=False),
        Column("released-calibration", "released calibration error", "released-calibration-error", in_text=False),
    ),
    best="half",
    select=_select,
    scatters=(
        Scatter(
            "defense-frontier",
            "Defenses: leak and accuracy",
            "The accuracy is that of the unlearned model's answers as they are released, on random unseen records.",
            AUC,
            ACCURACY,
            "deletion inference AUC",
            "accuracy of what is released",
        ),
    ),
)
