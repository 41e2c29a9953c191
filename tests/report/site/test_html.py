"""The page as text; what it does in a browser is tested in test_browser."""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.report.site.unpacking import with_details
from unlearnbench.core.estimates import Estimate
from unlearnbench.report.publication import Publication
from unlearnbench.report.roles import Roles
from unlearnbench.report.site.html import TEMPLATES, to_html
from unlearnbench.report.tracks import TRACKS, tables
from unlearnbench.run.results import Row

MakeRow = Callable[..., Row]

VOID = {"wbr", "meta", "input", "br", "link", "img", "hr"}
TRUSTED = {"script", "style"}


class Reader(HTMLParser):
    """Collects tags and attributes, and refuses what is closed in another order than it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def text(board: Path) -> str:
    return board.read_text("utf-8")


@pytest.fixture(scope="module")
def whole(text: str) -> str:
    """The page with its details written out."""
    return with_details(text)


@pytest.fixture(scope="module")
def read(whole: str) -> Reader:
    reader = Reader()
    reader.feed(whole)
    return reader


def test_every_element_is_closed(read: Reader) -> None:
    assert read.open == []


def test_names_descriptions_and_reasons_are_shown_as_they_are_and_never_run(whole: str, read: Reader) -> None:
    for markup in ("<script>throw", "<b>fast", "<u>marked", "<em>fast", "<i>no"):
        assert markup not in whole
    assert not {tag for tag, _ in read.tags} & {"b", "u", "i"}
    assert "blind(&#39;&lt;script&gt;throw 1&lt;/script&gt;&#39;)" in whole
    assert len(read.all("script")) == 1


def test_the_page_loads_nothing_and_runs_only_its_own_script(text: str, read: Reader) -> None:
    assert not [(tag, a) for tag, a in read.tags if "src" in a or tag in {"link", "iframe", "img", "object", "base"}]
    assert not re.findall(r"url\(|@import|https?://", text)
    (policy,) = (a["content"] for a in read.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    for name, tag in (("board.js", "script"), ("board.css", "style")):
        own = (TEMPLATES / name).read_text("utf-8")
        assert f"<{tag}>{own}</{tag}>" in text
        assert f"{tag}-src 'sha256-{b64encode(sha256(own.encode()).digest()).decode()}'" in str(policy)
    assert str(policy).startswith("default-src 'none'")
    assert not [a for _, a in read.tags if "style" in a or any(key.startswith("on") for key in a)]


def test_links_lead_to_what_is_there(read: Reader, board: Path) -> None:
    ids = {a["id"] for _, a in read.tags if "id" in a}
    for link in (str(a["href"]) for a in read.all("a")):
        assert link[1:] in ids if link.startswith("#") else (board.parent / link).is_file()


def test_ids_stand_once_but_in_templates_of_which_one_is_shown(read: Reader) -> None:
    counts = Counter(a["id"] for _, a in read.tags if "id" in a and a["id"] != "detail-title")
    assert set(counts.values()) == {1}


def test_tables_tell_their_headers_and_every_row_its_name(text: str, read: Reader) -> None:
    assert {a["scope"] for a in read.all("th")} == {"col", "row"}
    assert all("scope" in a for a in read.all("th"))
    assert text.count('<th scope="row" class="name">') == (8 + 6) + 2 * 4 + 2 * 3


def test_every_row_has_its_details(read: Reader) -> None:
    rows = {a["id"] for a in read.all("tr") if "id" in a}
    assert {f"detail-{row}" for row in rows} | {"provenance"} == {a["id"] for a in read.all("template")}


def test_details_hold_the_command_the_seeds_and_what_made_them(whole: str) -> None:
    commands = whole.replace("<wbr>", "")
    assert (
        "unlearnbench run made-up --only dataset=adult --only model=decision-tree --only unlearner=sisa "
        "--only scenario=single --only defense=none --only attack=sorted-diff --only attack=forgetting"
    ) in commands
    assert "&#34;" not in commands.split("--only unlearner=&#39;")[0].rsplit("<code>", 1)[-1]
    for part in ("seed 0", "seed 1", "seed 2", "abc123", "&lt;em&gt;fast&lt;/em&gt;", "engine"):
        assert part in whole


def test_details_say_which_entries_are_significantly_better_or_worse(whole: str) -> None:
    assert "<dt>AUC</dt><dd>better than euclidean, score-diff</dd>" in whole
    assert "<dt>AUC</dt><dd>worse than sorted-diff</dd>" in whole
    assert "<dt>forgetting AUC</dt><dd>worse than sisa</dd>" in whole


def test_the_best_entry_is_first_failures_follow_and_controls_are_last(text: str) -> None:
    names = re.findall(r'<tr id="(attack|defense)-[\w-]+" class="(\w+)[^"]*" data-name="([^"]+)"', text)
    assert [(role, name) for track, role, name in names if track == "attack"][:8] == [
        ("entry", "sorted-diff"),
        ("entry", "euclidean"),
        ("entry", "score-diff"),
        ("entry", "euclidean(k=1)"),
        ("baseline", "forgetting"),
        ("baseline", "classical"),
        ("control", "random"),
        ("control", "blind(&#39;&lt;script&gt;throw 1&lt;/script&gt;&#39;)"),
    ]
    assert [name for track, _, name in names if track == "defense"][:3] == ["label-only", "temperature", "none"]


def test_unlearners_can_be_sorted_by_neither_axis(text: str) -> None:
    section = text[text.index('<section id="unlearners"') :]
    keys = re.findall(r'class="sort" data-key="([^"]+)"', section[: section.index("</section>")])
    assert keys == ["name", "model", "test-accuracy"]


def test_a_failed_row_says_so_and_its_details_say_why(text: str) -> None:
    assert '<span class="value lack">failed</span>' in text
    assert "failed: seed 0: &lt;i&gt;no&lt;/i&gt; luck" in text


def test_an_invalid_row_keeps_its_numbers_and_is_marked(row: MakeRow, roles: Roles) -> None:
    rows = (row(), row(attack="euclidean", status="invalid", reason="blind tells"))
    publication = Publication({"suite": "odd", "seeds": [0]}, "abc", {}, roles, rows)
    page = to_html(publication, tables(rows, roles, TRACKS))
    marked = next(line for line in page.splitlines() if ">euclidean</button>" in line)
    assert ">invalid</span>" in marked
    assert ">invalid</span>" not in next(line for line in page.splitlines() if ">sorted-diff</button>" in line)
    assert (
        page.count('<span class="value">.720</span>') == 2 + 3
    )  # both attacks; sorted-diff on two more tables, twice on that of unlearners
    assert "invalid: blind tells" in page


def test_a_number_that_only_other_entries_have_was_not_measured(row: MakeRow, roles: Roles) -> None:
    memory = Estimate(1.5, status="no-interval", reason="one machine", scale="positive")
    auc = Estimate(0.6, 0.5, 0.7, n=40)
    rows = (row(metrics={"auc": auc, "memory-over-retraining": memory}), row(unlearner="sisa", metrics={"auc": auc}))
    page = to_html(Publication({"suite": "odd", "seeds": [0]}, "abc", {}, roles, rows), tables(rows, roles, TRACKS))
    (section,) = re.findall(r'<section id="unlearners".*?</section>', page, flags=re.DOTALL)
    place = re.findall(r'<th [^>]*data-column="([^"]+)"', section).index("memory")
    rows_of_cells = [re.findall(r'<td class="number.*?</td>', line) for line in section.split("<tr ")[1:]]
    cells = [numbers[place] for numbers in rows_of_cells]
    assert [('title="not measured"' in cell, ">n/a<" in cell, ">1.500<" in cell) for cell in cells] == [
        (False, False, True),
        (True, True, False),
    ]


def test_no_cell_is_blank(text: str) -> None:
    assert not re.findall(r"<td[^>]*>\s*</td>", text.split("<dialog")[0])


def test_the_same_results_give_the_same_page(publication: Publication, text: str) -> None:
    assert to_html(publication, tables(publication.rows, publication.roles, TRACKS)) == text


def test_a_board_without_rows_is_a_page_too() -> None:
    empty = to_html(Publication({"suite": "empty", "seeds": [0]}, "abc", {}, Roles(), ()), [])
    assert "<h1>empty</h1>" in empty
    assert "<figure" not in empty


def test_templates_travel_with_the_package(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(Path(__file__).parents[3])).build(directory=str(tmp_path), versions=["standard"])
    inside = ZipFile(wheel).namelist()
    assert {f"unlearnbench/report/site/templates/{file.name}" for file in TEMPLATES.iterdir()} <= set(inside)


def hue(css: str, dark: bool) -> dict[str, str]:
    blocks = re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", blocks[dark]))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground_and_marks_from_theirs(dark: bool) -> None:
    """At least 4.5 for text and 3 for graphics, as WCAG 2.2 asks for."""
    colour = hue((TEMPLATES / "board.css").read_text("utf-8"), dark)
    for ground in ("ground", "card", "wash"):
        for ink in ("ink", "soft", "accent"):
            assert contrast(colour[ink], colour[ground]) >= 4.5, (ink, ground)
    assert contrast(colour["on-accent"], colour["accent"]) >= 4.5
    assert contrast(colour["warn"], colour["warn-wash"]) >= 4.5
    for mark in (*(f"c{i}" for i in range(8)), "chance"):
        assert contrast(colour[mark], colour["card"]) >= 3, mark
