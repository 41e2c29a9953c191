"""The leaderboard of a suite: pages and tables made from its published results, and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from unlearnbench.core.messages import counted, one_line
from unlearnbench.report.formats import csv_text, latex_text, markdown_text, table
from unlearnbench.report.hidden import Hidden, gaps
from unlearnbench.report.numbers import number
from unlearnbench.report.publication import BoardEntry, Publication
from unlearnbench.report.site.exports import to_csv, to_json
from unlearnbench.report.tracks import TRACKS, Column, TrackRow, TrackTable, tables
from unlearnbench.report.trials import CHOSEN_HEADERS, chosen_lines, trials_csv
from unlearnbench.suite.model import AXES
from unlearnbench.suite.tuning import TrialRecord

__all__ = ["Section", "build", "build_page", "entry_lines", "latex", "page", "sections"]


@dataclass(frozen=True)
class Section:
    """One table of a leaderboard as text."""

    title: str
    about: str
    """What it shows."""
    headers: Sequence[str]
    lines: Sequence[Sequence[str]]
    """Lines of one text for each header."""
    notes: Sequence[str] = ()
    """Sentences below the table."""

    def plain(self) -> str:
        """Return the section for a terminal."""
        return self._text(one_line(self.title).upper(), self.about, *map(one_line, self.notes), style="plain")

    def markdown(self) -> str:
        """Return the section in Markdown."""
        title, *rest = map(markdown_text, (self.title, self.about, *self.notes))
        return self._text(f"### {title}", *rest, style="md")

    def _text(self, title: str, about: str, *notes: str, style: Literal["plain", "md"]) -> str:
        lines = [table(self.lines, self.headers, style)] if self.lines else []
        return "\n\n".join([title, about, *lines, *notes]) + "\n"

    def latex(self) -> str:
        """Return the section as a floating table, for a document that loads ``booktabs``; a comment without lines."""
        caption = latex_text(" ".join([f"{self.title}.", self.about, *self.notes]))
        if not self.lines:
            return f"% {caption}\n"
        return (
            f"\\begin{{table}}\n\\centering\n\\caption{{{caption}}}\n"
            f"{table(self.lines, self.headers, 'latex')}\n\\end{{table}}\n"
        )


def sections(found: Iterable[TrackTable]) -> list[Section]:
    """Return the tables that have rows, as text."""
    return [_section(table) for table in found if table.rows]


def _section(table: TrackTable) -> Section:
    track, title = table.track, f"{table.track.title} ({table.setting.title})"
    columns = [column for column in table.columns if column.in_text]
    if len(columns) == 1:
        return Section(title, table.about, *_by_model(table, columns[0]), table.notes)
    names = [] if track.compares == "model" else [track.compares]
    access = ["access"] if any(row.access for row in table.shown) else []
    headers = [*names, "model", *access, *(column.title for column in columns)]
    lines = [
        [*(_marked(row, name) for name in names), row.model, *(row.access or "not enforced" for _ in access)]
        + [row.text(column) for column in columns]
        for row in table.shown
    ]
    return Section(title, table.about, headers, lines, table.notes)


def _marked(row: TrackRow, axis: str) -> str:
    """Return the label on an axis; with that of the entry goes what became of its models."""
    marks = f" ({', '.join(row.marks)})" if row.marks and axis == row.track.compares else ""
    return f"{row.names[axis]}{marks}"


def _by_model(table: TrackTable, column: Column) -> tuple[list[str], list[list[str]]]:
    """Return headers and lines of a table with a line for each entry and a column for each model."""
    models = list(dict.fromkeys(row.model for row in table.shown))
    numbers = {(row.entry, row.model): row.text(column) for row in table.rows}
    entries = dict.fromkeys(row.entry for row in table.shown)
    lines = [[entry, *(numbers.get((entry, model), "n/a") for model in models)] for entry in entries]
    return [table.track.compares, *models], lines


def page(publication: Publication, found: Sequence[TrackTable]) -> str:
    """Return the leaderboard as Markdown; ``found`` are its tables."""
    suite = publication.suite
    invalid = sum(row.status == "invalid" for row in publication.rows)
    body = "\n".join(section.markdown() for section in sections(found))
    seeds = markdown_text(", ".join(str(seed) for seed in suite["seeds"]))
    environment = ", ".join(f"{name} {value}" for name, value in publication.environment.items())
    return f"""# {markdown_text(publication.name)}

<!-- Made by `unlearnbench leaderboard build`: do not edit. -->

{markdown_text(str(suite.get("description", "")))}

Numbers in brackets are 95 % intervals: clustered by original model for one seed, over seeds for means. Seeds: {seeds}.
`#1-3` is a rank: the best and the worst rank that an entry may have in its column, at a simultaneous confidence of
95 %. Where two ranges overlap, no order is claimed. Controls and baselines have none. Rows are marked invalid where a
blind attack (features only, no model) distinguishes their deleted records from unseen ones: {invalid} here.

The same tables to sort and filter, with the details of each row, are a page of the site: `unlearnbench leaderboard site
--out site`. As data: [table.csv](table.csv), [table.tex](table.tex). {_source(publication)}

{body}
Made with {markdown_text(environment)}. Suite sha256 `{publication.suite_sha256}`.
{_hidden(publication)}{_trials(publication.trials)}{_entries(publication.entries)}"""


def _source(publication: Publication) -> str:
    """Say where all metrics of all rows are."""
    if publication.entries:
        return "All metrics of all cells are in the entries below, `submissions/ID/submission.json`."
    command = f"the command is `unlearnbench run {publication.name}`"
    return f"All metrics of all rows are in\n[results.json](results.json); {command}."


ENTRY_HEADERS = ("entry", "of", "author", "accepted", "parameters", "status", "run again")


def entry_lines(entries: Sequence[BoardEntry]) -> list[list[str]]:
    """Return a line for each entry, by :data:`ENTRY_HEADERS`, in the order in which they were accepted."""
    return [
        [
            entry.id,
            f"{entry.axis} {entry.label}" if entry.axis else "the suite: controls, baselines, its attacks and defenses",
            entry.author,
            entry.date,
            f"tuned: {entry.tuned}" if entry.tuned else entry.parameters,
            f"{entry.status}: {entry.reason}" if entry.reason else entry.status,
            counted(len(entry.rerun), "cell") if entry.rerun else "no cell",
        ]
        for entry in entries
    ]


GAP_HEADERS = ("cell", "public AUC", "hidden AUC", "gap")


def gap_lines(publication: Publication) -> list[list[str]]:
    """Return a line for each cell that was run on hidden seeds, by :data:`GAP_HEADERS`.

    Control attacks are left out: what they find depends on no method.
    """
    role = publication.roles.of_plugin
    rows = [row for row in publication.rows if role(row.axes["attack"]).role != "control"]
    found = gaps(rows, publication.hidden) if publication.hidden else []
    return [
        [
            ", ".join(gap.labels[axis] for axis in AXES if len({one.labels[axis] for one in found}) > 1),
            number(gap.public),
            number(gap.hidden),
            "not known" if gap.p is None else f"beyond chance, p {gap.p:.2g}" if gap.flagged else "none beyond chance",
        ]
        for gap in found
    ]


def hidden_about(hidden: Hidden) -> str:
    """Say what was run on hidden seeds."""
    return (
        f'{counted(len(hidden.entries), "entry")} on seeds that follow from the nonce "{hidden.nonce}", announced '
        "after submission. A gap is one that a test of two independent measurements finds at 5 %, adjusted for all "
        "lines (Holm). Control attacks are left out."
    )


def _hidden(publication: Publication) -> str:
    """Return public and hidden numbers as a section of Markdown."""
    if publication.hidden is None:
        return ""
    lines = table(gap_lines(publication), GAP_HEADERS, "md")
    return f"\n### Hidden seeds\n\n{markdown_text(hidden_about(publication.hidden))}\n\n{lines}\n"


def entries_csv(entries: Sequence[BoardEntry]) -> str:
    """Return a line for each entry, also for those that are not accepted any more."""
    names = ("id", "name", "axis", "label", "author", "date", "version", "tuned", "status", "reason", "digest")
    return csv_text(names, ([getattr(entry, name) for name in names] for entry in entries))


def _entries(entries: Sequence[BoardEntry]) -> str:
    """Return the entries of a board as a section of Markdown."""
    if not entries:
        return ""
    about = "The rows above are the union of the accepted entries. All numbers were computed again from their scores."
    return f"\n### Entries\n\n{about}\n\n{table(entry_lines(entries), ENTRY_HEADERS, 'md')}\n"


TRIALS_ABOUT = (
    "Settings of each unlearner that were tried on development originals, as many for each and never with a retrained "
    "model; the objective is the lower the better. The chosen setting stands beside the default in the tables above."
)


def _trials(trials: Sequence[TrialRecord]) -> str:
    """Return which settings were chosen as a section of Markdown."""
    if not trials:
        return ""
    lines = table(chosen_lines(trials), CHOSEN_HEADERS, "md")
    return f"\n### Trials\n\n{TRIALS_ABOUT} Every trial: [trials.csv](trials.csv).\n\n{lines}\n"


def latex(publication: Publication, found: Sequence[TrackTable]) -> str:
    """Return the tables for a paper; ``found`` are its tables."""
    head = f"% {publication.name}: made by `unlearnbench leaderboard build`, do not edit.\n"
    need = "% Needs \\usepackage{booktabs}. \\#1-3: best and worst rank an entry may have, with 95 % confidence.\n"
    return "\n".join([head + need, *(section.latex() for section in sections(found))])


def build(publication: Publication) -> dict[str, str]:
    """Return the files that are kept of a board, by their names: what :func:`build_page` adds is made from the same."""
    return _texts(publication, tables(publication.rows, publication.roles, TRACKS))


def build_page(publication: Publication, home: str = "") -> dict[str, str]:
    """Return all files of a board on a site; ``home`` leads from its page to the root of that."""
    from unlearnbench.report.site.html import to_html

    found = tables(publication.rows, publication.roles, TRACKS)
    return {
        **_texts(publication, found),
        "table.json": to_json(publication, found),
        "index.html": to_html(publication, found, home),
    }


def _texts(publication: Publication, found: Sequence[TrackTable]) -> dict[str, str]:
    listed = {"entries.csv": entries_csv(publication.entries)} if publication.entries else {}
    tried = {"trials.csv": trials_csv(publication.trials)} if publication.trials else {}
    return {
        **listed,
        **tried,
        "README.md": page(publication, found),
        "table.csv": to_csv(found),
        "table.tex": latex(publication, found),
    }
