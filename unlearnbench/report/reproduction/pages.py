"""The reproduction as a page: for each experiment the question, the findings, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from unlearnbench.report.cells import cell, number
from unlearnbench.report.reproduction.claims import Finding, Results
from unlearnbench.report.reproduction.experiment import Experiment
from unlearnbench.run.plan import Plan
from unlearnbench.run.results import Row
from unlearnbench.suite.model import AXES

METRICS = ("auc", "auc-matched", "auc-retained", "deg-count", "deg-rate", "test-accuracy-original", "epsilon")
"""What the tables of a page show, where a row has it."""


VERDICTS = ("holds", "does not hold", "cannot tell")


@dataclass(frozen=True)
class Reproduced:
    """One experiment that was run: its rows, what they say of its claims, and what it took."""

    experiment: Experiment
    plan: Plan
    rows: Sequence[Row]
    findings: Sequence[Finding]

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
    def shown(self) -> list[Row]:
        """The means over seeds of what the suite itself lists, controls left out."""
        listed = {axis: {ref.label for ref in refs} for axis, refs in self.plan.suite.axes.items()}
        listed["dataset"] = {ref.label for ref in self.plan.suite.datasets}
        return [row for row in self.rows if row.seed is None and all(row.names[a] in listed[a] for a in AXES)]


def finding_line(finding: Finding) -> str:
    """Return a finding in one line."""
    return f"{finding.verdict}: {finding.text} ({_amount(finding)}, p {_p(finding)})"


def _amount(finding: Finding) -> str:
    return number(finding.amount) if finding.amount.value is not None else finding.amount.reason


def _p(finding: Finding) -> str:
    return "n/a" if finding.p is None else f"{finding.p:.2g}"


def page(done: Sequence[Reproduced], figures: Mapping[str, str]) -> str:
    """Return the page in Markdown; ``figures`` are the paths of plots by the name of their experiment."""
    return "\n".join([_overview(done), *(_section(each, figures.get(each.experiment.name)) for each in done)])


def _overview(done: Sequence[Reproduced]) -> str:
    lines = [
        (
            each.experiment.number,
            f"[{each.experiment.name}](#{_heading(each.experiment).lower().replace(' ', '-')})",
            each.experiment.question,
            *(sum(finding.verdict == verdict for finding in each.findings) for verdict in VERDICTS),
        )
        for each in done
    ]
    return _table(lines, ("", "experiment", "question", *VERDICTS)) + "\n"


def _section(done: Reproduced, figure: str | None) -> str:
    experiment = done.experiment
    findings = [(each.text, each.verdict, _amount(each), _p(each)) for each in done.findings]
    picture = f"\n![{experiment.question}]({figure})\n" if figure else ""
    return f"""## {_heading(experiment)}

{experiment.question} `unlearnbench reproduce {experiment.name}`

{_table(findings, ("expected", "verdict", "by how much", "p"))}
{picture}
{_rows(done.shown)}
"""


def _heading(experiment: Experiment) -> str:
    return f"{experiment.number} {experiment.name}"


def _rows(rows: Sequence[Row]) -> str:
    varying = [axis for axis in AXES if len({row.names[axis] for row in rows}) > 1]
    metrics = [name for name in METRICS if any(name in row.metrics for row in rows)]
    lines = [[*(row.names[axis] for axis in varying), *(cell(row, name) for name in metrics)] for row in rows]
    return _table(lines, [*varying, *metrics])


def _table(lines: Sequence[Sequence[object]], headers: Sequence[str]) -> str:
    return tabulate(lines, headers, tablefmt="github", disable_numparse=True)
