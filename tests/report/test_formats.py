"""Text of others in each format, read back by a parser that is not ours: it is the same text, and nothing else."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from unlearnbench.core.messages import one_line
from unlearnbench.report.formats import (
    Style,
    csv_cell,
    latex_text,
    markdown_text,
    table,
    text_of_csv,
)
from unlearnbench.report.site.html import new_environment

MARKS = st.text("\\`*_[]()<>|!&#+-=~$:/.1'\"{}^%@ \t\n\x1b\u202ewa;")
"""Text of characters that mean something in one of the formats."""
ANY = st.one_of(MARKS, st.text(st.characters(exclude_categories=())))
ACTIVE = (
    "<script>alert(1)</script>",
    "![x](http://e.org/x.png)",
    "[x](javascript:alert(1))",
    "[x][y]",
    "[x]: http://e.org",
    "<http://e.org>",
    "http://e.org www.e.org",
    "a|b\\|c\\",
    "*a* _b_ ~~c~~ `d` $e$ **f** __g__",
    "# a",
    "1. a",
    "- a",
    "---",
    "- - -",
    "===",
    "~~~",
    "```",
    "&lt;b&gt; &#60; &amp;",
    "=1+1",
    "\u202eabc",
    "\x1b[2J",
)


def all_examples(test: Any) -> Any:
    """Give a property each of the active texts as an example, besides what hypothesis finds."""
    for text in ACTIVE:
        test = example(text)(test)
    return test


def squeezed(text: str) -> str:
    """Return text as parsers of documents see it: white space is one space."""
    return " ".join(text.split())


def markdown(text: str) -> list[Any]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def visible(tokens: list[Any]) -> list[str]:
    """Return the text of each paragraph or cell; AssertionError where it holds anything but text."""
    cells = []
    for token in tokens:
        if token.type == "inline":
            assert {child.type for child in token.children} <= {"text", "text_special"}, token.content
            cells.append("".join(child.content for child in token.children))
    return cells


@all_examples
@given(ANY)
def test_markdown_shows_a_paragraph_as_it_is(text: str) -> None:
    tokens = markdown(markdown_text(text))
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    assert squeezed("".join(visible(tokens))) == squeezed(one_line(text))


@all_examples
@given(ANY)
def test_markdown_links_no_address_of_its_own_accord(text: str) -> None:
    assert not re.search(r"\w://|www\.", markdown_text(text))


@all_examples
@given(ANY)
def test_markdown_shows_cells_as_they_are(text: str) -> None:
    tokens = markdown(table([[text, "next"], ["below", text]], ["name", text], "md"))
    assert tokens[0].type == "table_open"
    assert [squeezed(cell) for cell in visible(tokens)] == [
        squeezed(cell) for cell in ("name", one_line(text), one_line(text), "next", "below", one_line(text))
    ]


@all_examples
@given(ANY)
def test_csv_gives_the_text_back_and_no_formula(text: str) -> None:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(map(csv_cell, [text, -0.5, text]))
    ((first, number, second),) = csv.reader(io.StringIO(stream.getvalue()))
    assert first == second
    assert (text_of_csv(first), float(number)) == (one_line(text), -0.5)
    assert not first.lstrip().startswith(tuple("=+-@\t\r"))


@all_examples
@given(ANY)
def test_a_terminal_gets_lines_of_visible_characters(text: str) -> None:
    lines = table([[text, "next"]], ["name", "other"], "plain").split("\n")
    assert all(line.isprintable() for line in lines)
    assert len(lines) == 3
    assert len(lines[2]) <= 310
    if len(one_line(text)) <= 300:
        assert one_line(text).strip() in lines[2]


def of_latex(text: str) -> str:
    """Return what LaTeX sets; AssertionError for a character that it would act on."""
    words = {"textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "textless": "<", "textgreater": ">"}
    parts = re.split(r"(\\[a-z]+\{\}|\\[#$%&_{}]|\{\})", text)
    assert not set("".join(parts[::2])) & set("\\#$%&_{}~^<>")
    known = {f"\\{word}{{}}": character for word, character in words.items()}
    known |= {f"\\{character}": character for character in "#$%&_{}"} | {"{}": ""}
    return "".join(known[part] if i % 2 else part for i, part in enumerate(parts))


@all_examples
@given(ANY)
def test_latex_sets_the_text_as_it_is(text: str) -> None:
    assert of_latex(latex_text(text)) == one_line(text).strip()
    row = table([[text, "b"], [text, "d"]], ["x", "y"], "latex").split("\n")[4]
    assert not row.startswith(("[", "*")), r"\\ of the line above would read it"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.title = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.title = dict(attrs).get("title") or self.title

    def handle_data(self, data: str) -> None:
        self.text += data


@all_examples
@given(ANY)
def test_html_shows_the_text_as_it_is(text: str) -> None:
    page = new_environment().from_string('<p title="{{ text }}">{{ text }}</p>').render(text=text)
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.tags == ["p"]
    assert (reader.text, reader.title) == (one_line(text), one_line(text))


@pytest.mark.parametrize("style", ["plain", "md", "latex"])
def test_our_own_numbers_and_names_are_easy_to_read_in_every_format(style: Style) -> None:
    text = table([["decision-tree(max-leaf=3)", ".842 [.787, .885] #1-6"]], ["model", "AUC"], style)
    assert "decision-tree(max-leaf=3)" in text
    assert ".842 [.787, .885]" in text
