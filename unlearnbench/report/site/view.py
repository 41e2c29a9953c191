"""What the page shows of each line: numbers as text and drawn, ranks, details, and the command that runs it again."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from unlearnbench.core.estimates import Estimate
from unlearnbench.report.numbers import number
from unlearnbench.report.site.figures import CHANCE, Scale, auc_scale
from unlearnbench.report.site.tracks import COLUMNS, Column, Line, Rank, Sample, Source, Track, rank_text
from unlearnbench.suite.model import AXES

BAR, NARROW_BAR, WIDE_BAR = 120, 72, 280
"""The widths of a drawn interval in pixels: in the columns that rank, in others, in the details."""
TITLES: Final[Mapping[Track, str]] = {"attack": "Attacks", "unlearner": "Unlearners", "defense": "Defenses"}
ABOUT: Final[Mapping[Track, str]] = {
    "attack": "How well each attack tells deleted from never-seen records. Models are retrained without the deleted "
    "record, and there is no defense.",
    "unlearner": "Two axes, never one: deletion inference ({reference}, sees both models) and forgetting (a threshold "
    "on the unlearned model alone). Keeping the original is perfect on the first and worst on the second, so this "
    "table is sorted by neither.",
    "defense": "What {reference} still finds, trained on defended shadow models. Models are retrained.",
}


@dataclass(frozen=True)
class Bar:
    """An interval on the page's scale, in pixels; ``seeds`` are the values that a mean was made of."""

    width: int
    chance: float
    value: float
    low: float | None
    high: float | None
    seeds: tuple[float, ...] = ()

    @classmethod
    def of(cls, estimate: Estimate | None, scale: Scale, seeds: Sequence[float] = ()) -> Bar | None:
        """Return what to draw; None where there is no number."""
        if estimate is None or estimate.value is None:
            return None
        low, high = (None if end is None else scale.at(end) for end in (estimate.low, estimate.high))
        places = tuple(scale.at(value) for value in seeds)
        return cls(int(scale.start + scale.end), scale.at(CHANCE), scale.at(estimate.value), low, high, places)


@dataclass(frozen=True)
class Cell:
    """One number of a table as it is shown; ``key`` is what the column is sorted by."""

    column: Column
    value: str
    interval: str
    note: str
    key: float | None
    bar: Bar | None
    rank: str


@dataclass(frozen=True)
class Part:
    """All numbers of one row, for the details: the attack it is of, and each metric by seed where there are several."""

    attack: str
    title: str
    status: str
    reason: str
    bar: Bar | None
    seeds: Sequence[int | None]
    metrics: Sequence[tuple[str, Estimate, str, Sequence[str]]]


@dataclass(frozen=True)
class Shown:
    """A line of a table as it is shown, with its details."""

    id: str
    line: Line
    cells: Sequence[Cell]
    parts: Sequence[Part]
    command: str
    rank: Rank | None
    rank_text: str
    places: int

    @property
    def decided(self) -> bool:
        """Whether it may be first and something is surely behind it."""
        return self.rank is not None and self.rank.best == 1 and self.rank.worst < self.places


@dataclass(frozen=True)
class Table:
    """One track."""

    track: Track
    title: str
    about: str
    columns: Sequence[Column]
    rows: Sequence[Shown]
    sortable: Mapping[str, bool]


def table_of(track: Track, suite: str, found: Sequence[Sample], low: Sequence[float]) -> Table:
    """Return one track of the suite with this name; ``low`` holds the numbers that the drawn scale must reach."""
    lines = [line for sample in found for line in _in_order(track, sample.lines[track])]
    places = _places(lines)
    rows = [
        _shown(f"{track}-{i}", line, suite, low, places[line.sample, line.model]) for i, line in enumerate(lines, 1)
    ]
    columns = COLUMNS[track]
    references = ", ".join(dict.fromkeys(sample.reference for sample in found))
    sortable = {column.key: track != "unlearner" or column.metric == "test-accuracy-unlearned" for column in columns}
    return Table(track, TITLES[track], ABOUT[track].format(reference=references), columns, rows, sortable)


def _in_order(track: Track, lines: Sequence[Line]) -> list[Line]:
    """Return models together; in each the best entry first, controls last. Unlearners stay as the suite lists them."""
    models = list(dict.fromkeys(line.model for line in lines))
    roles = ("entry", "baseline", "control")

    def place(line: Line) -> tuple[float, ...]:
        model = models.index(line.model)
        return (model,) if track == "unlearner" else (model, roles.index(line.role), _demerit(line))

    return sorted(lines, key=place)


def _demerit(line: Line) -> float:
    """Return what is lowest for the best entry, and infinite for one without a number."""
    estimate = line.estimate(COLUMNS[line.track][0])
    if estimate is None or estimate.value is None:
        return math.inf
    return -estimate.value if line.track == "attack" else abs(estimate.value - CHANCE)


def _places(lines: Sequence[Line]) -> dict[tuple[tuple[str, str], str], int]:
    """Return how many entries are ranked, for each sample and model."""
    places: dict[tuple[tuple[str, str], str], int] = {}
    for line in lines:
        key = (line.sample, line.model)
        places[key] = places.get(key, 0) + bool(line.ranks)
    return places


def _shown(name: str, line: Line, suite: str, low: Sequence[float], places: int) -> Shown:
    ranked = line.ranks.get(COLUMNS[line.track][0].key) if line.track != "unlearner" else None
    return Shown(
        name,
        line,
        [
            _cell(line, column, auc_scale(low, 4, (BAR if column.ranked else NARROW_BAR) - 4))
            for column in COLUMNS[line.track]
        ],
        [_part(source, auc_scale(low, 4, WIDE_BAR - 4)) for source in (line.source, line.forgetting) if source],
        _command(suite, line),
        ranked,
        rank_text(ranked) if ranked else "",
        places,
    )


def _cell(line: Line, column: Column, scale: Scale) -> Cell:
    source, estimate = line.of(column), line.estimate(column)
    rank = line.ranks.get(column.key)
    value, _, interval = number(estimate).partition(" ")
    if source is None or not source.row.metrics:
        value = source.row.status if source else "n/a"
    note = (source.row.reason if source else "") or (estimate.reason if estimate and estimate.value is None else "")
    bar = Bar.of(estimate, scale) if column.is_auc else None
    shown_rank = rank_text(rank) if rank and line.track == "unlearner" else ""
    return Cell(column, value, interval, note, estimate.value if estimate else None, bar, shown_rank)


def _part(source: Source, scale: Scale) -> Part:
    row = source.row
    seeds = [one.seed for one in source.seeds]
    metrics = [
        (name, estimate, number(estimate), [number(_value(one.metrics.get(name))) for one in source.seeds])
        for name, estimate in row.metrics.items()
    ]
    values = [v for one in source.seeds if "auc" in one.metrics and (v := one.metrics["auc"].value) is not None]
    bar = Bar.of(row.metrics.get("auc"), scale, values)
    title = "mean" if row.seed is None else f"seed {row.seed}"
    return Part(row.names["attack"], title, row.status, row.reason, bar, seeds, metrics)


def _value(estimate: Estimate | None) -> Estimate | None:
    """Return an estimate without its interval."""
    if estimate is None or estimate.value is None:
        return None
    return Estimate(estimate.value, n=estimate.n)


def _command(suite: str, line: Line) -> str:
    """Return the command that runs this line again, with other variants of a plug-in where it has the bare name."""
    attacks = [source.row.names["attack"] for source in (line.source, line.forgetting) if source]
    only = [f"{axis}={line.names[axis]}" for axis in AXES[:-1]] + [f"attack={name}" for name in dict.fromkeys(attacks)]
    return shlex.join(["unlearnbench", "run", suite, *(word for one in only for word in ("--only", one))])
