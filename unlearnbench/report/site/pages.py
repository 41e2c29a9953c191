"""The site of all boards: an index, a page a board, a page a method, and a comparison of two methods.

Static files that load nothing from elsewhere; every page has its style and its script in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unlearnbench.report.leaderboard import build_page
from unlearnbench.report.numbers import number
from unlearnbench.report.publication import Publication
from unlearnbench.report.site.details import script_data
from unlearnbench.report.site.html import TEMPLATES, digest, new_environment
from unlearnbench.report.site.methods import Method, methods_of

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True)
class BoardCard:
    """A board as the index shows it."""

    path: str
    publication: Publication
    methods: int

    @property
    def latest(self) -> str:
        """When its last entry was accepted; empty for the board of a run."""
        return max((entry.date for entry in self.publication.entries), default="")

    @property
    def authors(self) -> int:
        """How many authors have an accepted entry."""
        return len({entry.author for entry in self.publication.entries if entry.status == "accepted"})


def site(boards: Mapping[str, Publication]) -> Iterator[tuple[str, str]]:
    """Yield the path of each file of the site and its text; ``boards`` are given by the paths of their folders."""
    methods = methods_of(boards)
    cards = [
        BoardCard(path, publication, sum(any(line.path == path for line in method.lines) for method in methods))
        for path, publication in boards.items()
    ]
    yield "index.html", _page("index.html.j2", "", boards=cards, methods=methods)
    for path, publication in boards.items():
        yield from (
            (f"{path}/{name}", text) for name, text in build_page(publication, "../" * len(path.split("/"))).items()
        )
    for method in methods:
        yield f"methods/{method.id}.html", _page("method.html.j2", "../", method=method)
    yield "compare.html", _page("compare.html.j2", "", methods=methods, data=_data(methods), script=_own("compare.js"))


def _page(template: str, home: str, **values: object) -> str:
    style = _own("board.css")
    values = {"script": "", **values}
    return (
        new_environment()
        .get_template(template)
        .render(
            **values,
            home=home,
            style=style,
            style_digest=digest(style),
            script_digest=digest(str(values["script"])),
        )
    )


def _own(name: str) -> Markup:
    from markupsafe import Markup

    return Markup((TEMPLATES / name).read_text("utf-8"))  # noqa: S704 our own file


def _data(methods: list[Method]) -> Markup:
    """Return what the comparison shows."""
    plain = {
        method.id: {
            "axis": method.axis,
            "label": method.label,
            "numbers": [
                {
                    "board": line.board,
                    "place": line.place,
                    "column": column.title,
                    "text": number(line.line.estimate(column)),
                    "rank": str(line.line.ranks.get(column.key, "")),
                    "ahead": line.line.ranks[column.key].ahead if column.key in line.line.ranks else [],
                    "ranked": column.key in line.line.ranks,
                    "link": f"{line.path}/index.html#{line.id}",
                }
                for line in method.lines
                for column in line.columns
            ],
        }
        for method in methods
    }
    return script_data(plain)
