"""The reproduction as a page: for each experiment the question, the findings, and the numbers behind them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tabulate import tabulate

from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.report.numbers import cell, number
from unlearnbench.report.tables import to_csv
from unlearnbench.reproduction.claims import Finding, Results, Verdict
from unlearnbench.reproduction.experiment import Experiment
from unlearnbench.run.cells import Plan
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
    "epsilon",
)
"""What the tables of a page show, where a row has it."""
VERDICTS: tuple[Verdict, ...] = ("holds", "does not hold", "cannot tell")


@dataclass(frozen=True)
class Reproduced:
    """One experiment that was run: its rows, what they say of its claims, and its picture, if it has one."""

    experiment: Experiment
    plan: Plan
    rows: Sequence[Row]
    findings: Sequence[Finding]
    figure: Path | None = None

    @classmethod
    def of(cls, experiment: Experiment, plan: Plan, rows: Sequence[Row]) -> Reproduced:
        """Judge an experiment's claims on its rows."""
        results = Results(rows)
        return cls(experiment, plan, rows, [claim.judge(results) for claim in experiment.claims])

    @property
    def contradicted(self) -> bool:
        """Whether one of the claims does not hold."""
        return any(finding.verdict == "does not hold" for finding in self.findings)

    @property
    def models(self) -> int:
        """How many models were trained for it."""
        return sum(task.models for task in self.plan.episodes.values())

    @property
    def listed(self) -> list[Row]:
        """The rows of what the suite itself lists, controls left out."""
        listed = {axis: {ref.label for ref in refs} for axis, refs in self.plan.suite.axes.items()}
        return [row for row in self.rows if all(row.names[axis] in listed[axis] for axis in AXES)]

    @property
    def means(self) -> list[Row]:
        """Of those, the means over seeds; with one seed, its rows."""
        return headline_rows(self.listed)

    def csv(self) -> str:
        """Return the numbers that the page shows, for each seed and their mean, one a line."""
        return to_csv([replace(row, metrics=_shown(row)) for row in self.listed])


def _shown(row: Row) -> Mapping[str, Estimate]:
    return {name: row.metrics[name] for name in METRICS if name in row.metrics}


def finding_line(finding: Finding) -> str:
    """Return a finding in one line."""
    return f"{finding.verdict}: {finding.text} ({_amount(finding)}, p {_p(finding)})"


def _amount(finding: Finding) -> str:
    return number(finding.amount) if finding.amount.value is not None else finding.amount.reason


def _p(finding: Finding) -> str:
    return "n/a" if finding.p is None else f"{finding.p:.2g}"


def write_page(file: Path, done: Sequence[Reproduced]) -> None:
    """Put the findings between the two marks of a page; what people wrote around them stays.

    Raises :class:`UserError` where a page is there without the marks; one that is not there is made.
    """
    before = file.read_text(encoding="utf-8") if file.exists() else f"# Reproduction\n\n{BEGIN}\n{END}\n"
    head, begin, rest = before.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise UserError(f'has no lines "{BEGIN}" and "{END}" to write between', where=str(file))
    file.write_text(f"{head}{BEGIN}\n\n{page(done, file.parent)}\n{END}{tail}", encoding="utf-8")


def page(done: Sequence[Reproduced], beside: Path) -> str:
    """Return the findings in Markdown, for a file in the folder ``beside``."""
    return "\n".join([_overview(done), *(_section(each, beside) for each in done)])


def _overview(done: Sequence[Reproduced]) -> str:
    lines = [
        (
            each.experiment.number,
            f"[{each.experiment.name}](#{_heading(each.experiment).lower().replace(' ', '-')})",
            each.experiment.question,
            *(sum(finding.verdict == verdict for finding in each.findings) for verdict in VERDICTS),
            f"{each.models:,}",
        )
        for each in done
    ]
    return _table(lines, ("", "experiment", "question", *VERDICTS, "models")) + "\n"


def _section(done: Reproduced, beside: Path) -> str:
    experiment = done.experiment
    findings = [(each.text, each.verdict, _amount(each), _p(each)) for each in done.findings]
    return f"""## {_heading(experiment)}

{experiment.question} `unlearnbench reproduce {experiment.name}`

{_table(findings, ("expected", "verdict", "by how much", "p"))}
{_picture(done, beside)}
{_rows(done.means)}
"""


def _picture(done: Reproduced, beside: Path) -> str:
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
    return _table(lines, [*varying, *metrics])


def _table(lines: Sequence[Sequence[object]], headers: Sequence[str]) -> str:
    return tabulate(lines, headers, tablefmt="github", disable_numparse=True)
