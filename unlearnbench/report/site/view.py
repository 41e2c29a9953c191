"""The tables as the page shows them: numbers as text and drawn, ranks, details, and the command of each line."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from unlearnbench.core.estimates import Estimate
from unlearnbench.report.history import Record, history
from unlearnbench.report.numbers import number
from unlearnbench.report.publication import BoardEntry, Publication
from unlearnbench.report.site.exports import ABSENT
from unlearnbench.report.site.figures import Scale, auc_scale
from unlearnbench.report.site.methods import row_id, slug
from unlearnbench.report.tracks import CHANCE, Column, Rank, RowWithSeeds, Track, TrackRow, TrackTable, shown_columns
from unlearnbench.suite.model import AXES

BAR, NARROW_BAR, WIDE_BAR = 120, 72, 280
"""The widths of a drawn interval in pixels: in ranked columns, in others, in the details."""


@dataclass(frozen=True)
class Bar:
    """A drawn interval, in pixels on the page's scale."""

    width: int
    chance: float
    """Where one half is."""
    value: float
    low: float | None
    high: float | None
    seeds: tuple[float, ...] = ()
    """The values of the seeds that a mean is of."""

    @classmethod
    def of(cls, estimate: Estimate | None, scale: Scale, seeds: Sequence[float] = ()) -> Bar | None:
        """Return what to draw; None where there is no number."""
        if estimate is None or estimate.value is None:
            return None
        low, high = (None if end is None else scale.at(end) for end in (estimate.low, estimate.high))
        pixels = tuple(scale.at(value) for value in seeds)
        return cls(int(scale.start + scale.end), scale.at(CHANCE), scale.at(estimate.value), low, high, pixels)


@dataclass(frozen=True)
class PageCell:
    """One number of a table as the page shows it."""

    column: Column
    value: str
    interval: str
    note: str
    """Why there is no number, or what is wrong with it."""
    key: float | None
    """What the column is sorted by."""
    bar: Bar | None
    rank: str
    """The rank, where the table has no column of ranks."""


@dataclass(frozen=True)
class PageMetrics:
    """All metrics of one result row, for the details of a line."""

    attack: str
    title: str
    """``mean``, or the only seed."""
    status: str
    reason: str
    bar: Bar | None
    seeds: Sequence[int | None]
    """The seeds that the mean is of."""
    metrics: Sequence[tuple[str, Estimate, str, Sequence[str]]]
    """Name, estimate, the estimate as text, and the values by seed as text."""


@dataclass(frozen=True)
class PageRow:
    """A line of a table as the page shows it, with its details."""

    id: str
    line: TrackRow
    cells: Sequence[PageCell]
    metrics: Sequence[PageMetrics]
    command: Sequence[str]
    """The command that runs it again: what to run, then each option with its value."""
    rank: Rank | None
    """The rank, where the table has a column of ranks."""
    ranked: int
    """How many entries are ranked on the same setting and model."""
    entry: BoardEntry | None = None
    """Who entered it; None for the rows of one run."""
    records: Sequence[Record] = ()
    """What attacks found on it, as they were entered; empty unless a later one found more."""

    @property
    def method(self) -> str:
        """The name of the page of its entry on the site; empty for controls and baselines."""
        return slug(self.line.track.compares, self.line.entry) if self.line.role == "entry" else ""

    @property
    def decided(self) -> bool:
        """Whether it may be first and another entry is significantly worse."""
        return self.rank is not None and self.rank.best == 1 and self.rank.worst < self.ranked


@dataclass(frozen=True)
class PageTable:
    """One track on the page, all its settings together."""

    track: Track
    about: str
    rows: Sequence[PageRow]
    columns: Sequence[Column]
    """Those that are shown."""
    notes: Sequence[str] = ()
    """Sentences below it."""

    @property
    def has_ranks(self) -> bool:
        """Whether it has a column of ranks; else ranks are beside their numbers."""
        return self.track.sort == "best"

    def sortable(self, column: Column) -> bool:
        """Whether readers can sort by a column: not by an AUC where no order by one AUC is the right one."""
        return self.has_ranks or not column.is_auc


def table_of(tables: Sequence[TrackTable], publication: Publication, low: Sequence[float]) -> PageTable:
    """Return one track of a board; ``low`` holds the numbers that the drawn scale must reach."""
    track, columns = tables[0].track, shown_columns(tables)
    lines = [line for table in tables for line in _in_order(track, table.shown)]
    ranked = _ranked(lines)
    rows = [
        _page_row(row_id(line), line, columns, publication, low, ranked[line.setting, line.model]) for line in lines
    ]
    about = " ".join(dict.fromkeys(table.about for table in tables if table.rows))
    return PageTable(track, about, rows, columns, _notes(tables))


def _notes(tables: Sequence[TrackTable]) -> list[str]:
    """Return the notes of tables that the page shows together, each once, with the settings that it is about."""
    settings: dict[str, list[str]] = {}
    for table in tables:
        for note in table.notes:
            settings.setdefault(note, []).append(table.setting.title)
    return [note if len(tables) == 1 else f"{'; '.join(titles)}: {note}" for note, titles in settings.items()]


def _in_order(track: Track, lines: Sequence[TrackRow]) -> list[TrackRow]:
    """Return the lines with those of a model together; in each the best entry first and controls last, or as listed."""
    models = list(dict.fromkeys(line.model for line in lines))
    roles = ("entry", "baseline", "control")

    def key(line: TrackRow) -> tuple[float, ...]:
        model = models.index(line.model)
        return (model, roles.index(line.role), _loss(line)) if track.sort == "best" else (model,)

    return sorted(lines, key=key)


def _loss(line: TrackRow) -> float:
    """Return a number that is lowest for the best entry, and infinite for one without an AUC."""
    estimate = line.estimate(line.track.columns[0])
    if estimate is None or estimate.value is None:
        return math.inf
    return -estimate.value if line.track.best == "high" else abs(estimate.value - CHANCE)


def _ranked(lines: Sequence[TrackRow]) -> Counter[tuple[tuple[str, str], str]]:
    """Return how many entries are ranked, for each setting and model."""
    return Counter((line.setting, line.model) for line in lines if line.ranks)


def _page_row(
    name: str, line: TrackRow, columns: Sequence[Column], publication: Publication, low: Sequence[float], ranked: int
) -> PageRow:
    return PageRow(
        name,
        line,
        [_cell(line, column, auc_scale(low, 4, (BAR if column.ranked else NARROW_BAR) - 4)) for column in columns],
        [_metrics(result, auc_scale(low, 4, WIDE_BAR - 4)) for result in line.results],
        _command(publication.name, line),
        line.ranks.get(columns[0].key) if line.track.sort == "best" else None,
        ranked,
        publication.entry_of(line.track.compares, line.entry),
        found if len(found := history(publication, line)) > 1 else (),
    )


def _cell(line: TrackRow, column: Column, scale: Scale) -> PageCell:
    result, estimate = line.of(column), line.estimate(column)
    value, _, interval = number(estimate).partition(" ")
    interval = " ".join(filter(None, (interval, line.attack(column), line.mark(column))))
    if result is None or not result.row.metrics:
        value = result.row.status if result else "n/a"
    known = estimate or (ABSENT if result and result.row.metrics else None)
    note = (result.row.reason if result else "") or (known.reason if known and known.value is None else "")
    bar = Bar.of(estimate, scale) if column.is_auc else None
    rank = line.ranks.get(column.key) if line.track.sort == "suite" else None
    return PageCell(column, value, interval, note, estimate.value if estimate else None, bar, str(rank) if rank else "")


def _metrics(result: RowWithSeeds, scale: Scale) -> PageMetrics:
    row = result.row
    metrics = [
        (name, estimate, number(estimate), [number(_value(one.metrics.get(name))) for one in result.seeds])
        for name, estimate in row.metrics.items()
    ]
    values = [v for one in result.seeds if "auc" in one.metrics and (v := one.metrics["auc"].value) is not None]
    return PageMetrics(
        row.names["attack"],
        "mean" if row.seed is None else f"seed {row.seed}",
        row.status,
        row.note,
        Bar.of(row.metrics.get("auc"), scale, values),
        [one.seed for one in result.seeds],
        metrics,
    )


def _value(estimate: Estimate | None) -> Estimate | None:
    """Return an estimate without its interval."""
    if estimate is None or estimate.value is None:
        return None
    return Estimate(estimate.value, n=estimate.n)


def _command(suite: str, line: TrackRow) -> list[str]:
    """Return the command that runs this line again, with other variants of a plug-in where it has the bare name."""
    attacks = [result.row.names["attack"] for result in line.results]
    only = [f"{axis}={line.names[axis]}" for axis in AXES[:-1]] + [f"attack={name}" for name in dict.fromkeys(attacks)]
    return [shlex.join(words) for words in (["unlearnbench", "run", suite], *(["--only", one] for one in only))]
