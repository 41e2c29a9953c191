"""The page of a leaderboard: one HTML file that needs nothing beside it and loads nothing.

Every text that comes from results is escaped by the templates; a policy in the page lets only its own script and style
run, by their digests.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from unlearnbench.core.messages import counted, one_line, plural
from unlearnbench.report.numbers import number
from unlearnbench.report.publication import Publication
from unlearnbench.report.site.curves import board_groups, roc_figure
from unlearnbench.report.site.details import packed, script_data
from unlearnbench.report.site.figures import auc_scale, ends, scatter_figures
from unlearnbench.report.site.heat import heat_maps
from unlearnbench.report.site.view import PageTable, table_of
from unlearnbench.report.tracks import TrackRow, TrackTable, by_track
from unlearnbench.report.trials import HEADERS, trial_lines
from unlearnbench.suite.model import AXES

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES: Final = Path(__file__).parent / "templates"


def to_html(publication: Publication, found: Sequence[TrackTable], home: str = "") -> str:
    """Return the page of a publication whose tables are ``found``; ``home`` leads to the root of its site, if any."""
    from markupsafe import Markup

    from unlearnbench.report.leaderboard import TRIALS_ABOUT, gap_lines, hidden_about

    style, script = (Markup((TEMPLATES / name).read_text("utf-8")) for name in ("board.css", "board.js"))  # noqa: S704 our own files
    lines = [row for table in found for row in table.shown]
    low = [n for line in lines for c in line.track.columns if c.is_auc for n in ends(line.estimate(c))]
    tables = [table_of(group, publication, low) for group in by_track(found).values()]
    environment = new_environment()
    return environment.get_template("board.html.j2").render(
        publication=publication,
        suite=publication.suite,
        home=home,
        hidden=hidden_about(publication.hidden) if publication.hidden else "",
        gaps=gap_lines(publication),
        trials=trial_lines(publication.trials),
        trial_headers=HEADERS,
        trials_about=TRIALS_ABOUT,
        heat=heat_maps(publication),
        tables=[table for table in tables if table.rows or table.notes],
        figures=scatter_figures(found),
        roc=roc_figure(board_groups(publication.curves, lines)),
        scale=auc_scale(low, 0, 1),
        choices=_choices(lines),
        details=script_data(packed(_details(environment, tables, home))),
        facts=_facts(publication),
        style=style,
        script=script,
        style_digest=digest(style),
        script_digest=digest(script),
    )


def _details(environment: Environment, tables: Sequence[PageTable], home: str) -> dict[str, str]:
    """Return the markup of the details of each line, by its id."""
    parts = environment.get_template("parts.html.j2").make_module()
    return {row.id: str(parts.detail(row, table, AXES, home)) for table in tables for row in table.rows}  # type: ignore[attr-defined]  # a macro


def new_environment(*folders: Path) -> Environment:
    """Return a template environment that escapes all values; ``folders`` have templates besides those of boards."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"number": number, "plural": plural, "counted": counted}
    return environment


def _visible(value: object) -> object:
    """Return a value with its text in one line; what we mark as safe, style and script, stays as it is."""
    return one_line(value) if type(value) is str else value


def digest(text: str) -> str:
    """Return the sha256 of a style or script, as a content security policy names it."""
    return b64encode(sha256(text.encode()).digest()).decode()


def _facts(publication: Publication) -> list[tuple[str, int]]:
    """Return what the suite holds, counted, each word in its right number."""
    counts = {
        name: len(publication.suite[key])
        for key, name in {"datasets": "data set", **{f"{axis}s": axis for axis in AXES[1:]}, "seeds": "seed"}.items()
        if key in publication.suite
    }
    words = [(plural(count, name), count) for name, count in counts.items()]
    invalid = sum(row.status == "invalid" for row in publication.rows)
    return [*words, (plural(len(publication.rows), "row"), len(publication.rows)), ("invalid", invalid)]


def _choices(lines: Sequence[TrackRow]) -> dict[str, list[str]]:
    """Return the values to filter by, for what differs between lines."""
    values = {
        "dataset": dict.fromkeys(line.names["dataset"] for line in lines),
        "scenario": dict.fromkeys(line.names["scenario"] for line in lines),
        "model": dict.fromkeys(line.names["model"] for line in lines),
    }
    return {axis: list(names) for axis, names in values.items() if len(names) > 1}
