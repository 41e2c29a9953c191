"""Heat maps: the AUC of every attack on every unlearner, a map for each setting and model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from unlearnbench.core.estimates import Estimate
from unlearnbench.report.numbers import number
from unlearnbench.report.publication import Publication
from unlearnbench.report.tracks import CHANCE
from unlearnbench.run.results import Row, headline_rows

STEPS: Final = 10
"""How many shades the style sheet has."""


@dataclass(frozen=True)
class HeatCell:
    """One AUC."""

    value: str
    """Without the zero before its point; the row's status where there is none."""
    shade: int | None
    """How far it is from chance, from 0 to :data:`STEPS`; None where there is no number."""
    title: str
    """What is shown when the pointer is on it."""


@dataclass(frozen=True)
class HeatMap:
    """Unlearners (lines) against attacks (columns), without a defense."""

    title: str
    labels: Mapping[str, str]
    """The labels of its rows on the axes that they share, for the filters of the page."""
    attacks: Sequence[str]
    lines: Sequence[tuple[str, str, Sequence[HeatCell | None]]]
    """Unlearner, its role, and a cell for each attack; None where nobody ran it."""


def heat_maps(publication: Publication) -> list[HeatMap]:
    """Return the maps of a board, without unlearners that cannot run there; a map of one unlearner is left out."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in headline_rows(publication.rows):
        if publication.roles.of_plugin(row.axes["defense"]).role == "baseline":
            names = row.names
            groups.setdefault((names["model"], names["dataset"], names["scenario"]), []).append(row)
    several = len({names[1:] for names in groups}) > 1
    maps = [_map(", ".join(names) if several else names[0], rows, publication) for names, rows in groups.items()]
    return [each for each in maps if len(each.lines) > 1]


def _map(title: str, rows: Sequence[Row], publication: Publication) -> HeatMap:
    attacks = list(dict.fromkeys(row.names["attack"] for row in rows))
    found = {(row.names["unlearner"], row.names["attack"]): row for row in rows}
    ran = [row for row in rows if row.status != "skipped"]
    roles = {row.names["unlearner"]: publication.roles.of_plugin(row.axes["unlearner"]).role for row in ran}
    lines = [
        (unlearner, role, [_cell(found.get((unlearner, attack)), unlearner, attack) for attack in attacks])
        for unlearner, role in roles.items()
    ]
    return HeatMap(title, rows[0].names, attacks, lines)


def _cell(row: Row | None, unlearner: str, attack: str) -> HeatCell | None:
    if row is None:
        return None
    estimate = row.metrics.get("auc")
    shown = number(estimate) if row.metrics else f"{row.status}: {row.reason}"
    title = f"{attack} on {unlearner}: {shown}{' (invalid)' if row.status == 'invalid' else ''}"
    if estimate is None or estimate.value is None:
        return HeatCell("n/a" if row.metrics else row.status, None, title)
    return HeatCell(_short(estimate), round(abs(estimate.value - CHANCE) / CHANCE * STEPS), title)


def _short(estimate: Estimate) -> str:
    return number(Estimate(estimate.value, n=estimate.n), 2)
