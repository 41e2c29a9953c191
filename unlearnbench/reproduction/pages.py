"""The reproduction as a page: for each experiment the question, the results of its claims, and its numbers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import fill

from tabulate import tabulate

from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.files import write_whole
from unlearnbench.report.formats import table
from unlearnbench.report.numbers import cell, number
from unlearnbench.report.tables import to_csv
from unlearnbench.reproduction.claims import ClaimResult, ClaimVerdict, SeedRows
from unlearnbench.reproduction.experiment import Experiment
from unlearnbench.reproduction.summary import Summary
from unlearnbench.run.cells import Plan, count_models
from unlearnbench.run.results import Row, headline_rows
from unlearnbench.suite.model import AXES

BEGIN, END = "<!-- begin: written by unlearnbench reproduce -->", "<!-- end: written by unlearnbench reproduce -->"
METRICS = (
    "auc",
    "auc-matched",
    "auc-retained",
    "deg-count",
    "deg-rate",
    "overfitting",
    "test-accuracy-original",
    "released-test-accuracy",
    "released-log-loss",
    "released-calibration-error",
    "epsilon",
)
"""The metrics that the tables of a page show, if a row has them."""
VERDICTS: tuple[ClaimVerdict, ...] = ("holds", "does not hold", "cannot tell")


@dataclass(frozen=True)
class Reproduced:
    """One experiment that was run."""

    experiment: Experiment
    plan: Plan
    rows: Sequence[Row]
    results: Sequence[ClaimResult]
    """What the rows say of each claim."""
    figure: Path | None = None
    """The SVG file, if it was drawn."""

    @classmethod
    def of(cls, experiment: Experiment, plan: Plan, rows: Sequence[Row]) -> Reproduced:
        """Judge an experiment's claims on its rows."""
        seeds = SeedRows(rows)
        return cls(experiment, plan, rows, [claim.judge(seeds) for claim in experiment.claims])

    @property
    def contradicted(self) -> bool:
        """Whether one of the claims does not hold."""
        return any(result.verdict == "does not hold" for result in self.results)

    @property
    def models(self) -> int:
        """How many models were trained for it."""
        return self.plan.models

    @property
    def listed(self) -> list[Row]:
        """The rows of what the suite itself lists, without the controls that every plan adds."""
        listed = {axis: {ref.label for ref in refs} for axis, refs in self.plan.suite.axes.items()}
        return [row for row in self.rows if all(row.names[axis] in listed[axis] for axis in AXES)]

    @property
    def means(self) -> list[Row]:
        """Of those, the means over seeds; with one seed, its rows."""
        return headline_rows(self.listed)

    def csv(self) -> str:
        """Return the numbers that the page shows as CSV: one line for each row and metric, seeds and means."""
        return to_csv([replace(row, metrics=_shown(row)) for row in self.listed])


def _shown(row: Row) -> Mapping[str, Estimate]:
    return {name: row.metrics[name] for name in METRICS if name in row.metrics}


def claim_line(result: ClaimResult) -> str:
    """Return the result of a claim in one line."""
    return f"{_verdict(result)}: {result.text} ({_amount(result)}, p {_p(result)})"


def _verdict(result: ClaimResult) -> str:
    return f"{result.verdict}, no spread" if result.without_spread else result.verdict


def _amount(result: ClaimResult) -> str:
    return number(result.amount) if result.amount.value is not None else result.amount.reason


def _p(result: ClaimResult) -> str:
    return "n/a" if result.p is None or result.without_spread else f"{result.p:.2g}"


def write_page(file: Path, done: Sequence[Reproduced]) -> None:
    """Write the results between the two marks of a page; the text around the marks stays as it is.

    Raises :class:`UserError` where the page has no marks. A page that does not exist is written.
    """
    before = file.read_text(encoding="utf-8") if file.exists() else f"# Reproduction\n\n{BEGIN}\n{END}\n"
    head, begin, rest = before.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise UserError(f'has no lines "{BEGIN}" and "{END}" to write between', where=str(file))
    write_whole(file, f"{head}{BEGIN}\n\n{page(done, file.parent)}\n{END}{tail}")


def page(done: Sequence[Reproduced], beside: Path) -> str:
    """Return the results in Markdown, for a file in the folder ``beside``."""
    counts = Summary.of(pair for each in done for pair in zip(each.experiment.claims, each.results, strict=True))
    text = fill(f"{counts.text()} {_models(done)}", 120, break_on_hyphens=False)
    return "\n".join([text, "", _overview(done), *(section(each, beside) for each in done)])


def _models(done: Sequence[Reproduced]) -> str:
    """Return how many models there are. Experiments share models, which are trained once."""
    distinct = count_models({key: task for each in done for key, task in each.plan.episodes.items()}.values())
    return (
        f"The experiments have {sum(each.models for each in done):,} models, an ensemble counted as one; they share "
        f"some, and {distinct:,} are distinct."
    )


def _overview(done: Sequence[Reproduced]) -> str:
    lines = [
        (
            each.experiment.number,
            f"[{each.experiment.name}](#{_heading(each.experiment).lower().replace(' ', '-')})",
            each.experiment.question,
            *(sum(result.verdict == verdict for result in each.results) for verdict in VERDICTS),
            f"{each.models:,}",
        )
        for each in done
    ]
    headers = ("", "experiment", "question", *VERDICTS, "models")
    return tabulate(lines, headers, tablefmt="github", disable_numparse=True) + "\n"  # our own text, with links


def section(done: Reproduced, beside: Path) -> str:
    """Return one experiment in Markdown, for a file in the folder ``beside``."""
    experiment = done.experiment
    results = [(each.text, _verdict(each), _amount(each), _p(each)) for each in done.results]
    return f"""## {_heading(experiment)}

{experiment.question} `unlearnbench reproduce {experiment.name}`

{table(results, ("expected", "verdict", "by how much", "p"), "md")}
{_figure(done, beside)}
{_rows(done.means)}
"""


def _figure(done: Reproduced, beside: Path) -> str:
    if done.figure is None:
        return ""
    way = Path(os.path.relpath(done.figure, beside)).as_posix()
    return f"\n![{done.experiment.question}]({way})\n"


def _heading(experiment: Experiment) -> str:
    return f"{experiment.number} {experiment.name}"


def _rows(rows: Sequence[Row]) -> str:
    varying = [axis for axis in AXES if len({row.names[axis] for row in rows}) > 1]
    metrics = [name for name in METRICS if any(name in row.metrics for row in rows)]
    lines = [[*(row.names[axis] for axis in varying), *(cell(row, name) for name in metrics)] for row in rows]
    return table(lines, [*varying, *metrics], "md")
