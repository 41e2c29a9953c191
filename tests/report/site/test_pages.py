"""The site of boards: every page is there, every link leads somewhere, and nothing is loaded from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from html import unescape
from pathlib import PurePosixPath

import pytest

from tests.report.site.big import ATTACKS, METHODS, MODELS, UNLEARNERS, big_publication
from unlearnbench.report.publication import Publication
from unlearnbench.report.site.heat import heat_maps
from unlearnbench.report.site.methods import methods_of, slug
from unlearnbench.report.site.pages import site
from unlearnbench.run.results import Row


@pytest.fixture(scope="module")
def big(row: Callable[..., Row], publication: Publication) -> Publication:
    return big_publication(row, publication)


@pytest.fixture(scope="module")
def files(publication: Publication, big: Publication) -> Mapping[str, str]:
    return dict(site({"made-up": publication, "big": big}))


def test_there_are_an_index_a_page_a_board_a_page_a_method_and_a_comparison(files: Mapping[str, str]) -> None:
    assert {"index.html", "compare.html", "big/index.html", "big/table.csv", "made-up/index.html"} <= files.keys()
    for label in METHODS:
        assert f"methods/{slug('unlearner', label)}.html" in files


def test_every_link_leads_to_a_file_and_to_a_row_of_it(files: Mapping[str, str]) -> None:
    ids = {name: set(re.findall(r'id="([^"]+)"', text)) for name, text in files.items()}
    for name, text in files.items():
        for link in re.findall(r'href="([^"]+)"', text) if name.endswith(".html") else ():
            path, _, row = unescape(link).partition("#")
            target = str(PurePosixPath(name).parent / path) if path else name
            parts: list[str] = []
            for part in target.split("/"):
                parts = parts[:-1] if part == ".." else [*parts, part]
            found = "/".join(parts)
            if "submissions/" in found or path == "results.json":  # beside a board, not in the site
                continue
            assert found in files, (name, link)
            if row and found != "compare.html":
                assert row in ids[found], (name, link)


def test_nothing_is_loaded_from_elsewhere_and_markup_stays_text(files: Mapping[str, str]) -> None:
    for name, text in files.items():
        if name.endswith(".html"):
            assert "default-src 'none'" in text
            assert not re.search(r"(src|href)=.?(https?:)?//", text)
            assert "<b>fast" not in text
            assert "<script>throw" not in text


def test_the_comparison_holds_the_numbers_of_every_method(files: Mapping[str, str]) -> None:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', files["compare.html"])
    data = json.loads(text)
    assert {"method-1(rate=0.1)", "sisa", "<b>fast</b>"} <= {method["label"] for method in data.values()}
    assert all(f"methods/{name}.html" in files for name in data)


def test_a_method_wins_where_none_is_better_and_some_are_worse(publication: Publication) -> None:
    methods = {method.label: method for method in methods_of({"made-up": publication})}
    wins = {(line.place, column.key) for line, column, _ in methods["label-only"].wins}
    losses = {(line.place, column.key) for line, column, _ in methods["temperature"].losses}
    assert wins == losses != set()
    assert methods["label-only"].losses == []


def test_a_permalink_does_not_depend_on_other_entries(publication: Publication) -> None:
    def links(rows: tuple[Row, ...]) -> set[str]:
        found = methods_of({"made-up": replace(publication, rows=rows)})
        return {line.id for method in found if method.label == "sisa" for line in method.lines}

    fewer = tuple(row for row in publication.rows if row.names["unlearner"] != "<b>fast</b>")
    assert links(publication.rows) == links(fewer) != set()


def test_a_heat_map_has_each_unlearner_and_attack_and_is_stronger_further_from_chance(big: Publication) -> None:
    maps = heat_maps(big)
    assert [found.title for found in maps] == list(MODELS)
    for found in maps:
        assert tuple(found.attacks) == ATTACKS
        assert tuple(line[0] for line in found.lines) == UNLEARNERS
        shades = {
            cell.value: cell.shade for _, _, cells in found.lines for cell in cells if cell and cell.shade is not None
        }
        assert (shades["1.00"], shades[".50"]) == (10, 0)
        ordered = [shade for value, shade in sorted(shades.items()) if value.startswith(".") and value >= ".50"]
        assert ordered == sorted(ordered)


def test_a_cell_that_nobody_ran_is_told_from_one_that_failed(row: Callable[..., Row], publication: Publication) -> None:
    rows = (row(), row(unlearner="sisa", attack="euclidean", status="failed", reason="it broke"))
    (found,) = heat_maps(replace(publication, rows=rows))
    cells = {
        (line[0], attack): cell for line in found.lines for attack, cell in zip(found.attacks, line[2], strict=True)
    }
    assert cells["retrain", "euclidean"] is None
    failed = cells["sisa", "euclidean"]
    assert failed is not None
    assert (failed.value, failed.shade, "it broke" in failed.title) == ("failed", None, True)


def test_an_unlearner_that_cannot_run_on_a_model_has_no_line_there(
    row: Callable[..., Row], publication: Publication
) -> None:
    rows = (row(), row(unlearner="none"), row(unlearner="sisa", status="skipped", reason="not for trees"))
    (found,) = heat_maps(replace(publication, rows=rows))
    assert [line[0] for line in found.lines] == ["retrain", "none"]
