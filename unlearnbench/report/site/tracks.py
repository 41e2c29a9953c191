"""The standard tables of a leaderboard: one line an entry, for attacks, unlearners and defenses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import numpy as np

from unlearnbench.core.estimates import Estimate
from unlearnbench.report.numbers import cell
from unlearnbench.run.results import Row, headline_rows
from unlearnbench.stats.ranking import Best, Measured, ranges_of, surely_better

Track = Literal["attack", "unlearner", "defense"]
TRACKS: tuple[Track, ...] = ("attack", "unlearner", "defense")
Role = Literal["entry", "baseline", "control"]

PLAIN_UNLEARNER, PLAIN_DEFENSE, FORGETTING = "retrain", "none", "forgetting"
BASELINES: Mapping[Track, frozenset[str]] = {
    "attack": frozenset({"classical", FORGETTING}),
    "unlearner": frozenset({PLAIN_UNLEARNER}),
    "defense": frozenset({PLAIN_DEFENSE}),
}
"""What entries are compared with: attacks that see one model only, exact retraining, no defense. Never ranked."""
CONTROLS: Mapping[Track, frozenset[str]] = {
    "attack": frozenset({"random", "oracle-label", "blind"}),
    "unlearner": frozenset({"none", "random-noise", "noise-floor"}),
    "defense": frozenset(),
}
"""What shows whether the measurement itself is sound. Never ranked."""
BEST: Mapping[Track, Best] = {"attack": "high", "unlearner": "half", "defense": "half"}


@dataclass(frozen=True)
class Column:
    """One number of a track's table: a metric of the line's own row, or of its cell under the forgetting attack."""

    key: str
    title: str
    metric: str
    forgetting: bool = False
    ranked: bool = False

    @property
    def is_auc(self) -> bool:
        """Whether one half is chance."""
        return self.metric.startswith("auc")


ACCURACY = Column("test-accuracy", "test accuracy", "test-accuracy-unlearned")
COLUMNS: Mapping[Track, tuple[Column, ...]] = {
    "attack": (
        Column("auc", "AUC", "auc", ranked=True),
        Column("auc-matched", "AUC, matched unseen", "auc-matched"),
        Column("auc-retained", "AUC, retained", "auc-retained"),
        Column("tpr-at-fpr-0.01", "TPR at 1 % FPR", "tpr-at-fpr-0.01"),
    ),
    "unlearner": (
        Column("deletion-inference", "deletion inference AUC", "auc", ranked=True),
        Column("forgetting", "forgetting AUC", "auc", forgetting=True, ranked=True),
        Column("deletion-inference-matched", "deletion inference AUC, matched unseen", "auc-matched"),
        ACCURACY,
    ),
    "defense": (
        Column("auc", "AUC", "auc", ranked=True),
        Column("auc-matched", "AUC, matched unseen", "auc-matched"),
        ACCURACY,
    ),
}


class Rank(NamedTuple):
    """The best and the worst rank that an entry may have, and which others it is surely ahead of and behind."""

    best: int
    worst: int
    ahead: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A row that numbers come from, and the same cell's row for each seed where there are several."""

    row: Row
    seeds: tuple[Row, ...] = ()

    def measured(self) -> Measured | None:
        """Return what the rank of its AUC is made from; None where there is no sound number."""
        estimate = self.row.metrics.get("auc")
        if self.row.status != "ok" or estimate is None or estimate.value is None:
            return None
        values = (row.metrics["auc"].value for row in self.seeds)  # all there: else the mean would not be
        return Measured(estimate, tuple(value for value in values if value is not None))


@dataclass(frozen=True)
class Line:
    """One entry on one model of one sample; ``ranks`` holds where it may stand on the ranked columns, by their keys."""

    track: Track
    source: Source
    forgetting: Source | None = None
    ranks: Mapping[str, Rank] = field(default_factory=dict)

    @property
    def names(self) -> Mapping[str, str]:
        """The label of the plug-in on each axis."""
        return self.source.row.names

    @property
    def entry(self) -> str:
        """The label of what the track compares."""
        return self.names[self.track]

    @property
    def sample(self) -> tuple[str, str]:
        """The data set and the scenario."""
        return self.names["dataset"], self.names["scenario"]

    @property
    def model(self) -> str:
        """The model, and how it was retrained where that is not the default and not what is compared."""
        model, unlearner = self.names["model"], self.names["unlearner"]
        return model if self.track == "unlearner" or unlearner == PLAIN_UNLEARNER else f"{model}, {unlearner}"

    @property
    def role(self) -> Role:
        """Whether this is an entry, what entries are compared with, or a control."""
        name = self.source.row.axes[self.track].name
        return "control" if name in CONTROLS[self.track] else "baseline" if name in BASELINES[self.track] else "entry"

    def of(self, column: Column) -> Source | None:
        """Return what a column's number comes from."""
        return self.forgetting if column.forgetting else self.source

    def estimate(self, column: Column) -> Estimate | None:
        """Return a column's number; None where the cell has none."""
        source = self.of(column)
        return source.row.metrics.get(column.metric) if source else None

    def text(self, column: Column) -> str:
        """Return a column's number, interval and rank, or why there is none: never a blank."""
        source = self.of(column)
        shown = cell(source.row, column.metric) if source else "n/a"
        rank = self.ranks.get(column.key)
        return f"{shown} #{rank_text(rank)}" if rank else shown


def rank_text(rank: Rank) -> str:
    """Return ``2``, or ``1-3`` where an entry may stand in several places."""
    return str(rank.best) if rank.best == rank.worst else f"{rank.best}-{rank.worst}"


def sources(rows: Sequence[Row]) -> list[Source]:
    """Return the headline rows, each with those of its seeds."""
    by_cell: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        if row.seed is not None:
            by_cell.setdefault(tuple(row.names.values()), []).append(row)
    return [
        Source(row, tuple(by_cell.get(tuple(row.names.values()), ())) if row.seed is None else ())
        for row in headline_rows(rows)
    ]


@dataclass(frozen=True)
class Sample:
    """What was measured on one data set and scenario. ``reference`` is the attack that the other tracks go by."""

    dataset: str
    scenario: str
    reference: str
    lines: Mapping[Track, Sequence[Line]]
    variants: Sequence[Line]

    @property
    def title(self) -> str:
        """Data set and scenario, as headings name them."""
        return f"{self.dataset}, {self.scenario}"


def samples(rows: Sequence[Row]) -> list[Sample]:
    """Return the standard tables of each data set and scenario, ranks included."""
    groups: dict[tuple[str, str], list[Source]] = {}
    for source in sources(rows):
        groups.setdefault((source.row.names["dataset"], source.row.names["scenario"]), []).append(source)
    return [_sample(*names, group) for names, group in groups.items()]


def _sample(dataset: str, scenario: str, found: Sequence[Source]) -> Sample:
    reference = found[0].row.names["attack"]
    retrained = [source for source in found if source.row.axes["unlearner"].name == PLAIN_UNLEARNER]
    undefended = [source for source in found if source.row.axes["defense"].name == PLAIN_DEFENSE]
    plain = _first_variant(retrained)
    lines: dict[Track, Sequence[Line]] = {
        "attack": _ranked([Line("attack", source) for source in plain if source in undefended]),
        "unlearner": _ranked(list(_unlearners(reference, undefended))),
        "defense": _ranked([Line("defense", source) for source in _attacked_by(reference, plain)]),
    }
    variants = [Line("attack", source) for source in _attacked_by(reference, retrained) if source in undefended]
    return Sample(dataset, scenario, reference, lines, variants)


def _attacked_by(attack: str, found: Iterable[Source]) -> list[Source]:
    return [source for source in found if source.row.names["attack"] == attack]


def _first_variant(found: Sequence[Source]) -> list[Source]:
    """Return each model's rows under the first of several ways to retrain that the model can take."""
    first: dict[str, str] = {}
    for source in found:
        if source.row.status != "skipped":
            first.setdefault(source.row.names["model"], source.row.names["unlearner"])
    return [
        source
        for source in found
        if source.row.names["unlearner"] == first.get(source.row.names["model"], source.row.names["unlearner"])
    ]


def _unlearners(reference: str, undefended: Sequence[Source]) -> Iterator[Line]:
    """Yield one line for each unlearner and model, models together."""

    def place(source: Source) -> tuple[str, str]:
        return source.row.names["model"], source.row.names["unlearner"]

    forgetting = {place(source): source for source in undefended if source.row.axes["attack"].name == FORGETTING}
    for source in _attacked_by(reference, undefended):
        yield Line("unlearner", source, forgetting.get(place(source)))


def _ranked(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with ranks: entries of one model against each other, on each ranked column for itself."""
    ranks: dict[int, dict[str, Rank]] = {}
    for model in dict.fromkeys(line.model for line in lines):
        own = [i for i, line in enumerate(lines) if line.model == model and line.role == "entry"]
        for column in (column for column in COLUMNS[lines[0].track] if column.ranked):
            for i, rank in _rank({i: lines[i] for i in own}, column).items():
                ranks.setdefault(i, {})[column.key] = rank
    return [replace(line, ranks=ranks.get(i, {})) for i, line in enumerate(lines)]


def _rank(lines: Mapping[int, Line], column: Column) -> dict[int, Rank]:
    """Return the ranks of the lines that have a sound number; a rank among one says nothing."""
    sound = {
        i: measured for i, line in lines.items() if (source := line.of(column)) and (measured := source.measured())
    }
    if len(sound) < 2:
        return {}
    track = lines[next(iter(sound))].track
    better = surely_better(list(sound.values()), BEST[track])
    names = np.array([lines[i].entry for i in sound], dtype=object)
    ranges = ranges_of(better)
    return {
        i: Rank(*ranges[k], ahead=tuple(names[better[k]]), behind=tuple(names[better[:, k]]))
        for k, i in enumerate(sound)
    }
