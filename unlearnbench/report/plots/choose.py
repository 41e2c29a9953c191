"""Which rows of a run a plot shows, and the names of their series."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from unlearnbench.core.errors import UserError
from unlearnbench.report.roles import Roles
from unlearnbench.run.cells import Plan
from unlearnbench.run.results import Row
from unlearnbench.run.selection import Choices, read_choices, refuse_unknown
from unlearnbench.suite.model import AXES


@dataclass(frozen=True)
class Where:
    """Labels to keep on some axes. On the others a plot shows what the suite itself lists; controls must be named."""

    only: Choices = field(default_factory=dict)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Where:
        """Read ``axis=label`` texts; several labels for one axis widen it. :class:`UserError` for other texts."""
        return cls(read_choices(texts, "--where", ("axis", "label"), AXES))

    def choose(self, plan: Plan, rows: Sequence[Row], remedy: str = "run the suite first") -> list[Row]:
        """Return the chosen rows without skipped ones; ``remedy`` is the advice where one has not run.

        Raises :class:`UserError` for a label that no row has, and for a row without a valid result.
        """
        refuse_unknown(self.only, "--where", lambda axis: {row.names[axis] for row in rows})
        wanted: dict[str, frozenset[str]] = {}
        for axis, refs in plan.suite.axes.items():
            wanted[axis] = self.only.get(axis, frozenset(ref.label for ref in refs))
        found = [row for row in rows if all(row.names[axis] in wanted[axis] for axis in AXES)]
        shown = [row for row in found if row.status != "skipped"]
        if bad := next((row for row in shown if row.status != "ok"), None):
            raise UserError(_refusal(bad, remedy))
        if not shown:
            raise UserError(f"nothing to plot: {found[0].reason if found else 'no row is on all the axes chosen'}")
        return shown


def _refusal(row: Row, remedy: str) -> str:
    name = ", ".join(row.names.values())
    if row.status == "missing":
        return f"{name}, seed {row.seed}: not run yet; {remedy}"
    return f"{name}: {row.status}, {row.reason}; leave it out with --where"


def of_seeds(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of single seeds."""
    return [row for row in rows if row.seed is not None]


def title(rows: Sequence[Row], roles: Roles, without: str = "") -> str:
    """Return the labels that all rows share, as the title of their plot; a defense that is a baseline is not named."""
    first, left_out = rows[0], {*_varying(rows), without}
    if roles.of_plugin(first.axes["defense"]).role == "baseline":
        left_out.add("defense")
    return ", ".join(first.names[axis] for axis in AXES if axis not in left_out)


def series(rows: Sequence[Row], without: str = "") -> Callable[[Row], str]:
    """Return a function that names the series of a row by its labels on the axes on which these rows differ."""
    axes = [axis for axis in _varying(rows) if axis != without]
    if not axes:  # one line only
        return lambda row: row.names["attack"]
    return lambda row: ", ".join(row.names[axis] for axis in axes)


def _varying(rows: Sequence[Row]) -> list[str]:
    return [axis for axis in AXES if len({row.names[axis] for row in rows}) > 1]
