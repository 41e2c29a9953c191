"""From the rows of a run to the tables of its tracks, ranks included."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import NamedTuple

import numpy as np

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.messages import counted
from unlearnbench.hooks.records import EntryRole
from unlearnbench.report.numbers import cell
from unlearnbench.report.roles import Roles
from unlearnbench.report.tracks.track import CHANCE, Column, RowWithSeeds, Selected, Setting, Track
from unlearnbench.run.results import Row, by_cell, headline_rows
from unlearnbench.stats.ranking import Measured, ranges_of, surely_better


class Rank(NamedTuple):
    """The range of ranks that an entry may have in a column."""

    best: int
    worst: int
    ahead: tuple[str, ...] = ()
    """The entries that are significantly worse."""
    behind: tuple[str, ...] = ()
    """The entries that are significantly better."""

    def __str__(self) -> str:
        return str(self.best) if self.best == self.worst else f"{self.best}-{self.worst}"


@dataclass(frozen=True)
class TrackRow:
    """One line of a table: an entry on one model of one setting."""

    track: Track
    selected: Selected
    role: EntryRole = "entry"
    """Whether it is ranked, compared with, or a control."""
    model: str = ""
    """The model, and the variant of retraining where that is not the usual one and not what is compared."""
    ranks: Mapping[str, Rank] = field(default_factory=dict)
    """The ranks on the columns that have some, by their keys."""
    access: str = ""
    """What an unlearner can read, such as ``F, R``; empty where that is not known or not asked."""

    @property
    def result(self) -> RowWithSeeds:
        """The row that the line shows."""
        return self.selected.result

    @property
    def names(self) -> Mapping[str, str]:
        """The label of the plug-in on each axis."""
        return self.result.row.names

    @property
    def entry(self) -> str:
        """The label of what the track compares."""
        return self.names[self.track.compares]

    @property
    def setting(self) -> tuple[str, str]:
        """The data set and the scenario."""
        return self.names["dataset"], self.names["scenario"]

    @property
    def results(self) -> list[RowWithSeeds]:
        """Its own row, then the paired ones that are others."""
        rows = (self.result, *self.selected.paired.values())
        return list({found.row.names["attack"]: found for found in rows}.values())

    def of(self, column: Column) -> RowWithSeeds | None:
        """Return the row that a column's number is from."""
        return self.selected.paired.get(column.paired) if column.paired else self.result

    def attack(self, column: Column) -> str:
        """Return the attack whose number a column shows, where that is to be told."""
        found = self.of(column)
        return found.row.names["attack"] if column.names_attack and found else ""

    def estimate(self, column: Column) -> Estimate | None:
        """Return a column's number; None where the cell has none."""
        found = self.of(column)
        return found.row.metrics.get(column.metric) if found else None

    def text(self, column: Column) -> str:
        """Return a column's number, interval and rank, or why there is none: never a blank."""
        found = self.of(column)
        shown = cell(found.row, column.metric) if found else "n/a"
        rank, mark = self.ranks.get(column.key), self.mark(column)
        parts = shown, f"({mark})" if mark else "", f"#{rank}" if rank else "", self.attack(column)
        return " ".join(part for part in parts if part)

    def mark(self, column: Column) -> str:
        """Return the mark of an entry's number that is above what its column allows."""
        return column.mark(self.estimate(column)) if self.role == "entry" else ""

    @property
    def skipped(self) -> str:
        """Why it has nothing to show, if none of its cells is to run; else empty."""
        return self.result.row.reason if all(found.row.status == "skipped" for found in self.results) else ""

    @property
    def marks(self) -> tuple[str, ...]:
        """What became of the models of an entry, such as ``collapsed 3/50``; controls and baselines are as meant."""
        outcomes = self.result.row.outcomes
        return outcomes.marks if outcomes and self.role == "entry" else ()


@dataclass(frozen=True)
class TrackTable:
    """A track in one setting."""

    track: Track
    setting: Setting
    rows: Sequence[TrackRow]
    remarks: Sequence[str] = ()
    """Sentences on what its columns can show."""

    @property
    def shown(self) -> list[TrackRow]:
        """The rows that have something to show."""
        return [row for row in self.rows if not row.skipped]

    @property
    def notes(self) -> list[str]:
        """Sentences to show below it: the remarks, and which rows were skipped, one for each reason."""
        skipped: dict[str, list[TrackRow]] = {}
        for row in self.rows:
            if row.skipped:
                skipped.setdefault(row.skipped, []).append(row)
        return [*self.remarks, *(_skipped(reason, rows) for reason, rows in skipped.items())]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are shown."""
        return shown_columns([self])

    @property
    def about(self) -> str:
        """What the table shows."""
        return self.track.about.format(reference=self.setting.reference)


def shown_columns(found: Sequence[TrackTable]) -> tuple[Column, ...]:
    """Return the columns of tables of one track, without optional ones that have no number in any of them."""
    rows = [row for table in found for row in table.rows]
    return tuple(
        column for column in found[0].track.columns if not column.optional or any(row.estimate(column) for row in rows)
    )


def tables(rows: Sequence[Row], roles: Roles, tracks: Iterable[Track]) -> list[TrackTable]:
    """Return the tables of each data set and scenario, one for each track; a table may have no rows."""
    return [_table(track, setting) for setting in _settings(rows, roles) for track in tracks]


def by_track(found: Iterable[TrackTable]) -> dict[Track, list[TrackTable]]:
    """Return the tables of pages and data files, those of one track together."""
    groups: dict[Track, list[TrackTable]] = {}
    for table in found:
        if not table.track.text_only:
            groups.setdefault(table.track, []).append(table)
    return groups


def _settings(rows: Sequence[Row], roles: Roles) -> list[Setting]:
    groups: dict[tuple[str, str], list[RowWithSeeds]] = {}
    for found in _with_seeds(rows):
        groups.setdefault((found.row.names["dataset"], found.row.names["scenario"]), []).append(found)
    return [Setting(*names, group, roles) for names, group in groups.items()]


def _with_seeds(rows: Sequence[Row]) -> Iterator[RowWithSeeds]:
    """Yield the rows that tables show, each with those of its seeds."""
    seeds = by_cell(row for row in rows if row.seed is not None)
    for row in headline_rows(rows):
        yield RowWithSeeds(row, tuple(seeds.get(tuple(row.names.values()), ())) if row.seed is None else ())


def _table(track: Track, setting: Setting) -> TrackTable:
    rows = [
        TrackRow(
            track,
            selected,
            setting.roles.of_plugin(selected.result.row.axes[track.compares]).role,
            _model(track, setting, selected.result.row),
            access=setting.roles.of_plugin(selected.result.row.axes[track.compares]).access,
        )
        for selected in track.select(setting)
    ]
    weak = {column: found for column in track.columns if (found := list(_without_power(rows, column)))}
    notes = [_no_power(column, found, rows) for column, found in weak.items()]
    return TrackTable(track, setting, _ranked(rows, weak), notes)


def _model(track: Track, setting: Setting, row: Row) -> str:
    model, unlearner = row.names["model"], row.names["unlearner"]
    if track.compares == "unlearner" or unlearner == setting.usual_retraining:
        return model
    return f"{model}, {unlearner}"


def _ranked(rows: Sequence[TrackRow], weak: Mapping[Column, Collection[str]]) -> list[TrackRow]:
    """Return the rows with ranks: entries of one model against each other, each ranked column for itself.

    ``weak`` names the models for which a column has no power and ranks nothing.
    """
    ranks: dict[int, dict[str, Rank]] = {}
    for model, column in product(_models_of(rows), rows[0].track.columns if rows else ()):
        if column.ranked and model not in weak.get(column, ()):
            entries = {i: row for i, row in enumerate(rows) if row.model == model and row.role == "entry"}
            for i, rank in _rank(entries, column).items():
                ranks.setdefault(i, {})[column.key] = rank
    return [replace(row, ranks=ranks.get(i, {})) for i, row in enumerate(rows)]


def _models_of(rows: Sequence[TrackRow]) -> list[str]:
    return list(dict.fromkeys(row.model for row in rows))


def _without_power(rows: Sequence[TrackRow], column: Column) -> Iterator[str]:
    """Yield the models for which a column does not tell the entry that it must find from chance and the baseline."""
    for model in _models_of(rows) if column.must_find else ():
        of_model, found = [row for row in rows if row.model == model], _must_find(rows, column, model)
        baseline = _first_measured((row for row in of_model if row.role == "baseline"), column)
        if found and baseline and not (_above_chance(found) and surely_better([found, baseline], "high")[0, 1]):
            yield model


def _must_find(rows: Sequence[TrackRow], column: Column, model: str) -> Measured | None:
    """Return the number of the entry that a column must find."""
    return _first_measured((row for row in rows if (row.model, row.entry) == (model, column.must_find)), column)


def _above_chance(found: Measured) -> bool:
    return found.estimate.low is not None and found.estimate.low > CHANCE


def _first_measured(rows: Iterable[TrackRow], column: Column) -> Measured | None:
    return next((measured for row in rows if (found := row.of(column)) and (measured := found.measured())), None)


def _no_power(column: Column, models: Sequence[str], rows: Sequence[TrackRow]) -> str:
    where = "here" if len(models) == len(_models_of(rows)) else f"for {', '.join(models)}"
    baseline = next(row.entry for row in rows if row.role == "baseline")
    title = column.title[0].upper() + column.title[1:]
    known = [found.estimate.low is not None for model in models if (found := _must_find(rows, column, model))]
    why = "" if any(known) else ": its number has no interval"
    return (
        f"{title} has no power {where}: {column.must_find}, which keeps the deleted records, is not told from both "
        f"chance and {baseline}{why}. Nothing is ranked by it."
    )


def _skipped(reason: str, rows: Sequence[TrackRow]) -> str:
    entries: dict[str, list[str]] = {}
    for row in rows:
        entries.setdefault(row.model, []).append(row.entry)
    names = "; ".join(f"{', '.join(names)} on {model}" for model, names in entries.items())
    return f"{counted(len(rows), 'row')} skipped: {names}. Reason: {reason}."


def _rank(rows: Mapping[int, TrackRow], column: Column) -> dict[int, Rank]:
    """Return the ranks of the rows that have a valid number; where only one has, there are none."""
    valid = {i: measured for i, row in rows.items() if (measured := _first_measured([row], column))}
    if len(valid) < 2:
        return {}
    first, names = next(iter(valid)), np.array([rows[i].entry for i in valid], dtype=object)
    better = surely_better(list(valid.values()), rows[first].track.best)
    return {
        i: Rank(*ranks, ahead=tuple(names[better[k]]), behind=tuple(names[better[:, k]]))
        for k, (i, ranks) in enumerate(zip(valid, ranges_of(better), strict=True))
    }
