"""A new kind of table is one value: everything that shows tables shows it without knowing it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence

import pytest

from unlearnbench.report.leaderboard import sections
from unlearnbench.report.publication import Publication
from unlearnbench.report.site.exports import to_csv, to_json
from unlearnbench.report.site.html import to_html
from unlearnbench.report.tracks import Column, Scatter, Selected, Setting, Track, TrackTable, tables


def models(setting: Setting) -> Iterator[Selected]:
    """Yield each model under the reference attack, retrained and without a defense."""
    return map(Selected, setting.by_reference(setting.undefended(setting.retrained_once())))


AUC = Column("auc", "AUC", "auc", ranked=True)
ACCURACY = Column("accuracy", "accuracy", "test-accuracy-unlearned")
MODEL = Track(
    name="model",
    compares="model",
    title="Models",
    about="What {reference} finds in each model.",
    columns=(AUC, ACCURACY),
    best="half",
    select=models,
    scatters=(Scatter("model-frontier", "Models", "Leak and accuracy.", AUC, ACCURACY, "AUC", "accuracy"),),
)


@pytest.fixture(scope="module")
def found(publication: Publication) -> Sequence[TrackTable]:
    return tables(publication.rows, publication.roles, [MODEL])


def test_text_shows_a_new_track(found: Sequence[TrackTable]) -> None:
    (section,) = sections(found)
    assert (section.title, section.about) == ("Models (adult, single)", "What sorted-diff finds in each model.")
    assert section.headers == ["model", "AUC", "accuracy"]
    assert [line[0] for line in section.lines] == ["decision-tree", "mlp"]


def test_data_files_show_a_new_track(publication: Publication, found: Sequence[TrackTable]) -> None:
    lines = list(csv.DictReader(io.StringIO(to_csv(found))))
    assert {(line["track"], line["model"], line["column"]) for line in lines} == {
        ("model", model, column) for model in ("decision-tree", "mlp") for column in ("auc", "accuracy")
    }
    assert list(json.loads(to_json(publication, found))["tracks"]) == ["model"]


def test_the_page_shows_a_new_track_and_its_figure(publication: Publication, found: Sequence[TrackTable]) -> None:
    page = to_html(publication, found)
    assert '<a href="#models">Models</a>' in page
    assert '<section id="models"' in page
    assert "What sorted-diff finds in each model." in page
    assert 'id="model-frontier"' in page
    section = page[page.index('<section id="models"') :].partition("</section>")[0]
    assert section.count('<th scope="col" data-column="accuracy"') == 1
    assert section.count('<td class="number') == 2 * 2, "two numbers of each model"
