from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape

from unlearnbench.audit.answers import read_answers
from unlearnbench.audit.leak import Audit, audit
from unlearnbench.audit.page import HEADERS, MOST_CURVES, html, table, to_dict
from unlearnbench.audit.verdict import judge
from unlearnbench.hooks.registry import Registry, load_registry

Arrays = dict[str, Any]
Make = Callable[..., Arrays]
Save = Callable[..., Path]
Audited = Callable[..., Audit]

HOSTILE = """
from unlearnbench import AttackPlugin, ScoreAttack, hookimpl

class Fails(ScoreAttack):
    def score(self, view):
        raise RuntimeError("<script>alert(1)</script>")

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="fails", summary="Fails.", factory=Fails)
"""


@pytest.fixture
def audited(npz: Save, registry: Registry) -> Audited:
    def audited(target: Arrays, name: str = "answers.npz", registry: Registry = registry) -> Audit:
        return audit(read_answers(npz(target, name)), None, registry)

    return audited


class Outline(HTMLParser):
    """Checks that elements nest, and collects those that would load something."""

    VOID = ("meta",)

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.all: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.all.append(tag)
        self.links += [name for name, _ in attributes if name in ("src", "href") or name.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.all.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_beside_it(arrays: Make, audited: Audited) -> None:
    found = audited(arrays(leak=1.0))
    text = html(found, judge(found))
    outline = Outline()
    outline.feed(text)
    assert outline.open == []
    assert outline.links == []
    assert not {"script", "link", "img", "iframe"} & set(outline.all)
    assert "@import" not in text
    assert "url(" not in text
    assert re.search(r"https?:", text) is None


def test_the_page_has_the_verdict_every_attack_and_what_was_not_tried(arrays: Make, audited: Audited) -> None:
    found = audited(arrays(leak=1.0))
    verdict, text = judge(found), html(found, judge(found))
    assert escape(verdict.headline) in text
    for finding in found.findings:
        assert f'<th scope="row">{finding.attack}</th>' in text
    assert all(name in text for name in found.left_out)


def test_what_comes_from_files_and_plugins_is_escaped(arrays: Make, audited: Audited, tmp_path: Path) -> None:
    (tmp_path / "hostile.py").write_text(HOSTILE)
    registry = load_registry([tmp_path / "hostile.py"], discover=False)
    found = audited(arrays(), name="<b onload='x'>&.npz", registry=registry)
    text = html(found, judge(found))
    assert "&lt;b onload=&#39;x&#39;&gt;&amp;.npz" in text
    assert "<script" not in text
    assert "<b " not in text


def test_the_table_has_a_number_or_a_word_in_every_place(arrays: Make, audited: Audited) -> None:
    lines = table(audited(arrays()))
    assert all(len(line) == len(HEADERS) for line in lines)
    assert all(cell for line in lines for cell in line)


def test_the_data_are_json_and_name_no_folder(arrays: Make, audited: Audited, tmp_path: Path) -> None:
    found = audited(arrays(leak=1.0))
    text = json.dumps(to_dict(found, judge(found)), allow_nan=False)
    data = json.loads(text)
    assert str(tmp_path) not in text
    assert (data["file"], data["shadow"], data["classes"], data["intervals_over"]) == (
        "answers.npz",
        None,
        3,
        "requests",
    )
    assert data["rows"] == {"forgotten": 20, "retained": 10, "unseen": 120}
    assert data["verdict"]["outcome"] == "leak"
    assert {"auc", "auc-retained", "tpr-at-fpr-0.1", "tpr-at-fpr-0.01", "p"} <= data["attacks"][0].keys()


def test_the_page_draws_the_curves_of_attacks_and_not_of_controls(arrays: Make, audited: Audited) -> None:
    found = audited(arrays(leak=1.0))
    text = html(found, judge(found))
    legend = re.findall(r'aria-hidden="true"><path d="M0 4H26"/></svg>([^<]+)</li>', text)
    assert legend == [finding.attack for finding in found.findings if not finding.control][:MOST_CURVES]
    drawn = re.findall(r'<g class="curve [^"]*"><title>([^<]+)</title><path d="M[^"]+"/></g>', text)
    assert drawn == legend * 2  # on logarithmic and on linear axes


def test_a_page_of_many_rows_stays_small(arrays: Make, audited: Audited) -> None:
    found = audited(arrays(leak=1.0, unseen=5000))
    assert len(html(found, judge(found))) < 60_000
