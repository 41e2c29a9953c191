"""Whether the reference attack finds the deleted record itself, or only the region of the data that it was in."""

from __future__ import annotations

from collections.abc import Iterator

from unlearnbench.report.tracks.track import Column, Selected, Setting, Track


def _select(setting: Setting) -> Iterator[Selected]:
    return map(Selected, setting.by_reference(setting.undefended(setting.retrained())))


RECORD_OR_REGION = Track(
    name="record-or-region",
    compares="model",
    title="Record or region",
    about="AUC of {reference} for deleted records against random unseen ones (is the region found?), against unseen "
    "ones of the same leaf or neighbourhood and label (is the record found?), and against retained ones.",
    columns=(
        Column("auc", "random unseen", "auc"),
        Column("auc-matched", "matched unseen", "auc-matched"),
        Column("auc-retained", "retained", "auc-retained"),
    ),
    best="high",
    select=_select,
    text_only=True,
)
