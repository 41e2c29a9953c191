"""The leaderboard of a suite: pages and tables made from its published results, and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

from unlearnbench.report.publication import Accepted, Publication
from unlearnbench.report.site.exports import latex_text, markdown_text, to_csv, to_json
from unlearnbench.report.site.tracks import COLUMNS, Line, Sample, Track, samples

__all__ = ["Section", "build", "latex", "page", "published", "sections"]


@dataclass(frozen=True)
class Section:
    """One table of a leaderboard: a title, what it says, and lines under headers."""

    title: str
    about: str
    headers: Sequence[str]
    lines: Sequence[Sequence[str]]

    def text(self, style: str) -> str:
        """Return the section as Markdown (``github``) or for a terminal (``simple``)."""
        if style != "github":
            return f"{self.title.upper()}\n\n{self.about}\n\n{self._table(style)}\n"
        escaped = Section(
            markdown_text(self.title),
            markdown_text(self.about),
            [markdown_text(header) for header in self.headers],
            [[markdown_text(text) for text in line] for line in self.lines],
        )
        return f"### {escaped.title}\n\n{escaped.about}\n\n{escaped._table(style)}\n"

    def latex(self) -> str:
        """Return the section as a floating table, for a document that loads ``booktabs``."""
        return (
            "\\begin{table}\n\\centering\n"
            f"\\caption{{{latex_text(self.title)}. {latex_text(self.about)}}}\n"
            f"{self._table('latex_booktabs')}\n\\end{{table}}\n"
        )

    def _table(self, style: str) -> str:
        return tabulate(self.lines, self.headers, tablefmt=style, disable_numparse=True)


def sections(found: Iterable[Sample]) -> list[Section]:
    """Return the tables of each data set and scenario: attacks, unlearners, defenses, and region or record."""
    return [section for sample in found for section in _sample_sections(sample)]


def _sample_sections(sample: Sample) -> Iterator[Section]:
    if sample.lines["attack"]:
        yield _pivot(
            f"Attacks ({sample.title})",
            "AUC of telling deleted from never-seen records; models are retrained without the deleted record, "
            "and there is no defense. Half is chance.",
            sample.lines["attack"],
        )
        yield _record_or_region(sample)
    if sample.lines["unlearner"]:
        yield _unlearners(sample)
    if sample.lines["defense"]:
        yield _pivot(
            f"Defenses ({sample.title})",
            f"AUC of {sample.reference}, trained on defended shadow models; models are retrained.",
            sample.lines["defense"],
        )


def _pivot(title: str, about: str, lines: Sequence[Line]) -> Section:
    """Return one line for each entry, one column for each model."""
    track: Track = lines[0].track
    models = list(dict.fromkeys(line.model for line in lines))
    by_place = {(line.entry, line.model): line.text(COLUMNS[track][0]) for line in lines}
    entries = dict.fromkeys(line.entry for line in lines)
    table = [[entry, *(by_place.get((entry, model), "n/a") for model in models)] for entry in entries]
    return Section(title, about, [track, *models], table)


def _record_or_region(sample: Sample) -> Section:
    """Return whether the reference attack finds the record, or only the region it lay in."""
    unranked = [Line(line.track, line.source) for line in sample.variants]
    columns = COLUMNS["attack"][:3]
    return Section(
        f"Record or region ({sample.title})",
        f"AUC of {sample.reference} for deleted records against random unseen ones (is a region found?), against "
        "unseen ones of the same leaf or neighbourhood and label (is the record found?), and against retained ones.",
        ["model", "random unseen", "matched unseen", "retained"],
        [[line.model, *(line.text(column) for column in columns)] for line in unranked],
    )


def _unlearners(sample: Sample) -> Section:
    """Return both axes side by side: what deletion gives away, and what the unlearned model still remembers."""
    shown = [column for column in COLUMNS["unlearner"] if column.metric != "auc-matched"]
    return Section(
        f"Unlearners ({sample.title})",
        f"Two axes, never one: deletion inference ({sample.reference} AUC, sees both models) and forgetting (AUC of a "
        "threshold on the unlearned model alone). Keeping the original is perfect on one and worst on the other. Lines "
        "are in the suite's order; each axis has ranks of its own.",
        ["unlearner", "model", "deletion inference", "forgetting", "test accuracy"],
        [[line.entry, line.model, *(line.text(column) for column in shown)] for line in sample.lines["unlearner"]],
    )


def page(publication: Publication, found: Sequence[Sample]) -> str:
    """Return the leaderboard as Markdown; ``found`` are the standard tables of its rows."""
    suite = publication.suite
    invalid = sum(row.status == "invalid" for row in publication.rows)
    body = "\n".join(section.text("github") for section in sections(found))
    seeds = ", ".join(str(seed) for seed in suite["seeds"])
    environment = ", ".join(f"{name} {value}" for name, value in publication.environment.items())
    return f"""# {publication.name}

<!-- Made by `unlearnbench leaderboard build` from results.json: do not edit. -->

{markdown_text(str(suite.get("description", "")))}

Numbers in brackets are 95 % intervals: clustered by original model for one seed, over seeds for means. Seeds: {seeds}.
`#1-3` is a rank: the best and the worst place that an entry may hold among those of its column, all at once with 95 %
confidence. Where two ranges overlap, no order is claimed. Controls and baselines have none.
Rows whose sample a blind attack (features only, no model) can tell apart are marked invalid: {invalid} here.

The same tables to sort and filter, with the details of each row: [index.html](index.html), which opens from disk; as
data: [table.csv](table.csv), [table.json](table.json), [table.tex](table.tex). All metrics of all rows are in
[results.json](results.json); the command is `unlearnbench run {publication.name}`.

{body}
Made with {markdown_text(environment)}. Suite sha256 `{publication.suite_sha256}`.
{_origin(publication.submission)}"""


def _origin(submission: Accepted | None) -> str:
    """Say which submission the rows were computed from, and how it was checked."""
    if submission is None:
        return ""
    name, author, nonce = map(markdown_text, (submission.name, submission.author, submission.nonce))
    told = f"Cells that the nonce `{nonce}` drew were run anew:\n" if submission.rerun else "No cell was run anew."
    cells = "".join(f"\n- {markdown_text(line)}" for line in submission.rerun)
    return f"""
Submission: [{name}](submissions/{submission.id}/submission.json) by {author}, digest `{submission.digest}`. All numbers
here were computed again from its scores by `unlearnbench leaderboard check`. {told}{cells}
"""


def latex(publication: Publication, found: Sequence[Sample]) -> str:
    """Return the tables for a paper; ``found`` are the standard tables of the publication's rows."""
    head = f"% {publication.name}: made by `unlearnbench leaderboard build` from results.json, do not edit.\n"
    need = "% Needs \\usepackage{booktabs}. \\#1-3: best and worst rank an entry may have, with 95 % confidence.\n"
    return "\n".join([head + need, *(section.latex() for section in sections(found))])


def build(results: Path) -> dict[Path, str]:
    """Return the files, by path, that belong beside a ``results.json``."""
    from unlearnbench.report.site.html import to_html

    publication = Publication.read(results)
    found = samples(publication.rows)
    files = {
        "README.md": page(publication, found),
        "table.csv": to_csv(found),
        "table.json": to_json(publication, found),
        "table.tex": latex(publication, found),
        "index.html": to_html(publication, found),
    }
    return {results.parent / name: text for name, text in files.items()}


def published(root: Path) -> list[Path]:
    """Return every ``results.json`` under a leaderboards folder, in the order of suite names."""
    return sorted(root.glob("*/results.json"))
