"""Runs a suite from Python; its results are an object, plain dictionaries or a data frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from unlearnbench.core.errors import UserError, did_you_mean
from unlearnbench.core.executors import Executor
from unlearnbench.engine.devices import Device
from unlearnbench.engine.workers import exit_if_worker_is_starting
from unlearnbench.report.tables import FIELDS, Format, render
from unlearnbench.run.executors import choose_executor
from unlearnbench.run.results import Row, collect
from unlearnbench.run.runner import Rerun, Runner
from unlearnbench.run.session import SessionOptions, open_session
from unlearnbench.suite.model import AXES
from unlearnbench.suite.profiles import Profile


@dataclass(frozen=True)
class Results:
    """The results of a run."""

    rows: tuple[Row, ...]
    """One row for each cell and seed; then, with several seeds, one row for each cell: the mean over seeds."""

    def row(self, seed: int | None = None, **axes: str) -> Row:
        """Return the one row with these names or labels, such as ``attack="sorted-diff"``.

        Without ``seed``, this is the mean over seeds, or the row of the only seed. Raises :class:`UserError` where
        there is no such row, or more than one.
        """
        if unknown := sorted(axes.keys() - set(AXES)):
            raise UserError(f"row: there is no axis {unknown[0]!r}{did_you_mean(unknown[0], AXES)}")
        rows = [row for row in self.rows if row.seed == seed] or (list(self.rows) if seed is None else [])
        if not rows:
            raise UserError(f"row: no seed {seed} here{did_you_mean('', {str(row.seed) for row in self.rows})}")
        for axis, name in axes.items():
            known = {row.names[axis] for row in rows}
            rows = [row for row in rows if name in (row.names[axis], row.axes[axis].name)]
            if not rows:
                raise UserError(f"row: no {axis} {name!r} here{did_you_mean(name, known)}")
        if len(rows) != 1:
            open_axes = [axis for axis in AXES if len({row.names[axis] for row in rows}) > 1]
            raise UserError(f"row: {len(rows)} rows have these names; choose one by {', '.join(open_axes) or 'seed'}")
        return rows[0]

    def table(self, style: Format = "plain") -> str:
        """Return the rows as the command line prints them, in the format ``style``."""
        return render(self.rows, style)

    def records(self) -> list[dict[str, Any]]:
        """Return one dictionary for each row and metric: axes, seed (None for the mean), status and estimate."""
        return [record for row in self.rows for record in _records(row)]

    def to_pandas(self) -> Any:
        """Return :meth:`records` as a ``pandas.DataFrame``; UserError where pandas is not installed."""
        return _library("pandas").DataFrame(self.records())

    def to_polars(self) -> Any:
        """Return :meth:`records` as a ``polars.DataFrame``; UserError where polars is not installed."""
        return _library("polars").DataFrame(self.records(), infer_schema_length=None)

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        return self.table()


def _records(row: Row) -> list[dict[str, Any]]:
    start = {**row.names, "seed": row.seed, "row_status": row.status, "row_reason": row.reason}
    if not row.metrics:
        return [{**start, "metric": None, **dict.fromkeys(FIELDS)}]
    return [
        {**start, "metric": name, **{field: getattr(estimate, field) for field in FIELDS}}
        for name, estimate in row.metrics.items()
    ]


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise UserError(
            f"{name} is not installed: python -m pip install {name}, or use records(), which returns dictionaries"
        ) from None


def run_suite(
    suite: str | Path,
    *,
    store: str | Path = ".unlearnbench",
    only: Sequence[str] = (),
    seed: int | None = None,
    device: Device | None = None,
    profile: Profile = "full",
    rerun: Rerun = "failed",
    executor: str | Executor | None = None,
    workers: int = 1,
    memory: str = "",
    timeout: float | None = None,
    memory_limit: str = "",
    plugin_files: Sequence[str | Path] = (),
    progress: bool = False,
) -> Results:
    """Run a standard suite by name, or a suite file by its path, and return the results.

    As ``unlearnbench run``: the arguments are the options of that command, and work whose results are in the ``store``
    is not done again. ``executor`` is a name with parameters, such as ``"processes:workers=4,memory=4GB"``, or an
    :class:`Executor`; ``workers`` and ``memory`` are short for those of ``processes``. A script that uses processes
    needs the line ``if __name__ == "__main__":`` above this call. Cells that failed are rows with a reason. Raises
    :class:`UserError` where the suite or an argument is wrong.
    """
    exit_if_worker_is_starting()
    options = SessionOptions(Path(store), only, seed, device, profile, plugin_files, run_plugin_files=True)
    session = open_session(suite, options)
    limits = session.plan.suite.limits.replaced_by(timeout, memory_limit)
    work = choose_executor(session.instances, executor, workers, memory)
    Runner(session.instances, session.store, work, show_progress=progress).run(session.plan, rerun, limits)
    return Results(tuple(collect(session.plan, session.store)))
