"""What a track is: a kind of table of a leaderboard, as one value; and the rows that it chooses from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, NamedTuple

from unlearnbench.core.estimates import Estimate
from unlearnbench.report.roles import Roles
from unlearnbench.run.results import Row
from unlearnbench.stats.ranking import Best, Measured
from unlearnbench.stats.strongest import surely_found

CHANCE = 0.5
"""The AUC of a guess."""
SURELY_FOUND = "auc-surely-found"
"""The number that the row of the strongest attack has besides its metrics."""


@dataclass(frozen=True)
class RowWithSeeds:
    """A row that tables show, and the rows of its seeds."""

    row: Row
    """A mean over seeds, or the row of the only seed."""
    seeds: tuple[Row, ...] = ()
    """The rows of the same cell with each seed, where ``row`` is a mean."""

    def measured(self) -> Measured | None:
        """Return what the rank of its AUC is computed from; None where it has no valid AUC."""
        estimate = self.row.metrics.get("auc")
        if self.row.status != "ok" or estimate is None or estimate.value is None:
            return None
        values = (row.metrics["auc"].value for row in self.seeds)  # all are there, or there would be no mean
        return Measured(estimate, tuple(value for value in values if value is not None))


@dataclass(frozen=True)
class Setting:
    """The rows of one data set and scenario."""

    dataset: str
    scenario: str
    rows: Sequence[RowWithSeeds]
    roles: Roles

    @property
    def title(self) -> str:
        """Data set and scenario, as headings name them."""
        return f"{self.dataset}, {self.scenario}"

    @property
    def reference(self) -> str:
        """The attack that unlearners and defenses are compared by: the first of the suite."""
        return self.rows[0].row.names["attack"]

    def strongest(self, rows: Iterable[RowWithSeeds]) -> RowWithSeeds | None:
        """Return the row with the highest valid AUC among those of entries that query both models.

        It has a further number, :data:`SURELY_FOUND`: see :func:`~unlearnbench.stats.strongest.surely_found`.
        """
        valid = [(measured, found) for found in rows if (measured := self._of_entry(found))]
        if not valid:
            return None
        found = max(valid, key=lambda pair: pair[0].value)[1]
        bound = surely_found([measured.estimate for measured, _ in valid])
        return replace(found, row=replace(found.row, metrics={**found.row.metrics, SURELY_FOUND: bound}))

    def _of_entry(self, found: RowWithSeeds) -> Measured | None:
        role = self.roles.of_plugin(found.row.axes["attack"])
        return found.measured() if (role.role, role.versions) == ("entry", "both") else None

    def by_reference(self, rows: Iterable[RowWithSeeds]) -> list[RowWithSeeds]:
        """Return the rows of the reference attack."""
        return [found for found in rows if found.row.names["attack"] == self.reference]

    def undefended(self, rows: Iterable[RowWithSeeds]) -> list[RowWithSeeds]:
        """Return the rows under a defense that is a baseline: none."""
        return [found for found in rows if self._is_baseline(found, "defense")]

    def retrained(self) -> list[RowWithSeeds]:
        """Return the rows under an unlearner that is a baseline: retraining, in all its variants."""
        return [found for found in self.rows if self._is_baseline(found, "unlearner")]

    def retrained_once(self) -> list[RowWithSeeds]:
        """Return each model's rows under the first variant of retraining that the model allows."""
        first: dict[str, str] = {}
        for found in self.retrained():
            if found.row.status != "skipped":
                first.setdefault(found.row.names["model"], found.row.names["unlearner"])
        return [
            found
            for found in self.retrained()
            if found.row.names["unlearner"] == first.get(found.row.names["model"], found.row.names["unlearner"])
        ]

    @cached_property
    def usual_retraining(self) -> str | None:
        """The name of the baseline unlearner that the suite lists first: tables do not repeat it."""
        return next((found.row.axes["unlearner"].name for found in self.retrained()), None)

    def _is_baseline(self, found: RowWithSeeds, axis: str) -> bool:
        return self.roles.of_plugin(found.row.axes[axis]).role == "baseline"


class Selected(NamedTuple):
    """What one line of a table shows."""

    result: RowWithSeeds
    """The row that the line shows."""
    paired: Mapping[str, RowWithSeeds] = {}
    """Other rows that columns take numbers from, by the name that :attr:`Column.paired` gives them."""


@dataclass(frozen=True)
class Column:
    """One number of a table."""

    key: str
    """Its name in data files; unique in a track."""
    title: str
    """Its heading."""
    metric: str
    """The metric that it shows."""
    paired: str = ""
    """The paired row that the number is taken from; by default it is the line's own row."""
    ranked: bool = False
    """Whether entries are ranked by it."""
    names_attack: bool = False
    """Whether the attack is named beside the number: that of a paired row may differ from line to line."""
    must_find: str = ""
    """An entry whose AUC must be above chance and significantly above the baseline's. For models where it is not, the
    column has no power: a note says so, and nothing is ranked by it."""
    most: float | None = None
    """A number above it is marked."""
    optional: bool = False
    """Whether it is left out where no row of the table has its metric, which a suite must list."""
    in_text: bool = True
    """Whether tables of a terminal, of Markdown and of LaTeX, which have little room, show it."""

    @property
    def is_auc(self) -> bool:
        """Whether one half is chance."""
        return self.metric.startswith("auc")

    def mark(self, estimate: Estimate | None) -> str:
        """Return the mark of a number that is above :attr:`most`, "" for others."""
        if self.most is None or estimate is None or estimate.value is None or estimate.value <= self.most:
            return ""
        return f"> {self.most:g}".replace("0.", ".")


@dataclass(frozen=True)
class Scatter:
    """A figure of a track: two columns against each other, a point for each line."""

    key: str
    """The id of the figure on the page."""
    title: str
    about: str
    """What the figure shows, in a sentence or two."""
    x: Column
    y: Column
    x_title: str
    y_title: str


@dataclass(frozen=True)
class Track:
    """A kind of table. A new kind is a new value in a file of its own, listed in :data:`TRACKS`."""

    name: str
    """Its name in data files and in addresses on the page."""
    compares: str
    """The axis whose plug-ins are the entries."""
    title: str
    """The heading."""
    about: str
    """What the table shows; ``{reference}`` is replaced by the reference attack."""
    columns: tuple[Column, ...]
    """With several columns in text, a text table has a line for each entry and model, else a column for each model."""
    best: Best
    """Which AUC is best."""
    select: Callable[[Setting], Iterable[Selected]]
    """Returns the lines of a setting, in the order of the suite."""
    sort: Literal["best", "suite"] = "best"
    """Whether the page lists the best entry first, by the first column, or keeps the order of the suite."""
    scatters: tuple[Scatter, ...] = field(default=())
    """The figures that the page draws of it."""
    text_only: bool = False
    """Whether it is left out of the page and the data files, because another track has the same numbers."""


ACCURACY = Column("test-accuracy", "test accuracy", "test-accuracy-unlearned")
