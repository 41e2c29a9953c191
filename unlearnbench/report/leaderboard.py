"""The leaderboard of a suite: a page and a table made from its published results, and from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

from unlearnbench.report.cells import cell
from unlearnbench.report.publication import Publication
from unlearnbench.report.tables import to_csv
from unlearnbench.run.results import Row

PLAIN_UNLEARNER, PLAIN_DEFENSE, FORGETTING = "retrain", "none", "forgetting"


@dataclass(frozen=True)
class Section:
    """One table of a leaderboard: a title, what it says, and lines under headers."""

    title: str
    about: str
    headers: Sequence[str]
    lines: Sequence[Sequence[str]]

    def text(self, style: str) -> str:
        """Return the section as Markdown (``github``) or for a terminal (``simple``)."""
        heading = f"### {self.title}" if style == "github" else self.title.upper()
        table = tabulate(self.lines, self.headers, tablefmt=style, disable_numparse=True)
        return f"{heading}\n\n{self.about}\n\n{table}\n"


def headline_rows(rows: Iterable[Row]) -> list[Row]:
    """Return the rows a leaderboard shows: means over seeds, or the single seed where there is one."""
    rows = list(rows)
    means = [row for row in rows if row.seed is None]
    return means or rows


def sections(rows: Iterable[Row]) -> list[Section]:
    """Return the tables of each data set and scenario: attacks, unlearners, defenses, and region or record."""
    shown = headline_rows(rows)
    samples = dict.fromkeys((row.names["dataset"], row.names["scenario"]) for row in shown)
    return [
        section
        for dataset, scenario in samples
        for section in _sample_sections(
            f"{dataset}, {scenario}",
            [row for row in shown if (row.names["dataset"], row.names["scenario"]) == (dataset, scenario)],
        )
    ]


def _sample_sections(sample: str, rows: Sequence[Row]) -> Iterable[Section]:
    reference = rows[0].names["attack"]
    retrained = [row for row in rows if row.axes["unlearner"].name == PLAIN_UNLEARNER]
    undefended = [row for row in rows if row.axes["defense"].name == PLAIN_DEFENSE]
    plain = _first_variant(retrained)
    both = [row for row in plain if row in undefended]
    if both:
        yield _pivot(
            f"Attacks ({sample})",
            "AUC of telling deleted from never-seen records; models are retrained without the deleted record, "
            "and there is no defense. Half is chance.",
            both,
            "attack",
        )
        variants = [row for row in retrained if row in undefended and row.names["attack"] == reference]
        yield _record_or_region(sample, reference, variants)
    if undefended:
        yield _unlearners(sample, reference, undefended)
    if plain:
        yield _pivot(
            f"Defenses ({sample})",
            f"AUC of {reference}, trained on defended shadow models; models are retrained.",
            [row for row in plain if row.names["attack"] == reference],
            "defense",
        )


def _first_variant(rows: Sequence[Row]) -> list[Row]:
    """Return each model's rows under the first of several ways to retrain that the model can take."""
    first: dict[str, str] = {}
    for row in rows:
        if row.status != "skipped":
            first.setdefault(row.names["model"], row.names["unlearner"])
    return [row for row in rows if first.get(row.names["model"], row.names["unlearner"]) == row.names["unlearner"]]


def _pivot(title: str, about: str, rows: Sequence[Row], axis: str) -> Section:
    """Return one line for each entry of ``axis``, one column for each model."""
    columns = list(dict.fromkeys(_column(row) for row in rows))
    by_place = {(row.names[axis], _column(row)): cell(row, "auc") for row in rows}
    entries = dict.fromkeys(row.names[axis] for row in rows)
    lines = [[entry, *(by_place.get((entry, column), "n/a") for column in columns)] for entry in entries]
    return Section(title, about, [axis, *columns], lines)


def _column(row: Row) -> str:
    """Return the model, and how it was retrained where that is not the default."""
    model, unlearner = row.names["model"], row.names["unlearner"]
    return model if unlearner == PLAIN_UNLEARNER else f"{model}, {unlearner}"


def _find(rows: Iterable[Row], wanted: Callable[[Row], bool], metric: str = "auc") -> str:
    return next((cell(row, metric) for row in rows if wanted(row)), "n/a")


def _record_or_region(sample: str, reference: str, rows: Sequence[Row]) -> Section:
    """Return whether the reference attack finds the record, or only the region it lay in."""
    lines = [[_column(row), cell(row, "auc"), cell(row, "auc-matched"), cell(row, "auc-retained")] for row in rows]
    return Section(
        f"Record or region ({sample})",
        f"AUC of {reference} for deleted records against random unseen ones (is a region found?), against unseen ones "
        "of the same leaf or neighbourhood and label (is the record found?), and against retained ones.",
        ["model", "random unseen", "matched unseen", "retained"],
        lines,
    )


def _unlearners(sample: str, reference: str, rows: Sequence[Row]) -> Section:
    """Return both axes side by side: what deletion gives away, and what the unlearned model still remembers."""

    def line(unlearner: str, model: str) -> list[str]:
        own = [row for row in rows if (row.names["unlearner"], row.names["model"]) == (unlearner, model)]
        return [
            unlearner,
            model,
            _find(own, lambda row: row.names["attack"] == reference),
            _find(own, lambda row: row.axes["attack"].name == FORGETTING),
            _find(own, lambda row: row.names["attack"] == reference, "test-accuracy-unlearned"),
        ]

    pairs = dict.fromkeys((row.names["unlearner"], row.names["model"]) for row in rows)
    return Section(
        f"Unlearners ({sample})",
        f"Two axes, never one: deletion inference ({reference} AUC, sees both models) and forgetting (AUC of a "
        "threshold on the unlearned model alone). Keeping the original is perfect on one and worst on the other.",
        ["unlearner", "model", "deletion inference", "forgetting", "test accuracy"],
        [line(unlearner, model) for unlearner, model in pairs],
    )


def page(publication: Publication) -> str:
    """Return the leaderboard as Markdown."""
    suite = publication.suite
    invalid = sum(row.status == "invalid" for row in publication.rows)
    body = "\n".join(section.text("github") for section in sections(publication.rows))
    seeds = ", ".join(str(seed) for seed in suite["seeds"])
    environment = ", ".join(f"{name} {value}" for name, value in publication.environment.items())
    return f"""# {publication.name}

<!-- Made by `unlearnbench leaderboard build` from results.json: do not edit. -->

{suite.get("description", "")}

Numbers in brackets are 95 % intervals: clustered by original model for one seed, over seeds for means. Seeds: {seeds}.
Rows whose sample a blind attack (features only, no model) can tell apart are marked invalid: {invalid} here.
All metrics of all rows are in [table.csv](table.csv); the command is `unlearnbench run {publication.name}`.

{body}
Made with {environment}. Suite sha256 `{publication.suite_sha256}`.
"""


def build(results: Path) -> dict[Path, str]:
    """Return the files, by path, that belong beside a ``results.json``."""
    publication = Publication.read(results)
    return {results.parent / "README.md": page(publication), results.parent / "table.csv": to_csv(publication.rows)}


def published(root: Path) -> list[Path]:
    """Return every ``results.json`` under a leaderboards folder, in the order of suite names."""
    return sorted(root.glob("*/results.json"))
