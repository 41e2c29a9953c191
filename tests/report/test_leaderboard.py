from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.report import leaderboard
from unlearnbench.report.leaderboard import Section, build, build_page, page
from unlearnbench.report.publication import Publication
from unlearnbench.report.roles import Roles
from unlearnbench.report.tracks import TRACKS, tables
from unlearnbench.run.results import Row, headline_rows
from unlearnbench.stats.ranking import Best, Measured, surely_better

MakeRow = Callable[..., Row]
Sections = Callable[[list[Row]], list[Section]]
table_building = import_module("unlearnbench.report.tracks.tables")
SUITE = {"suite": "made-up", "version": 1, "description": "Made up.", "seeds": [0]}


@pytest.fixture
def rows(row: MakeRow) -> list[Row]:
    """Two models, two unlearners and a control, two defenses; every AUC is told apart by its digits."""
    return [
        row(model=model, unlearner=unlearner, defense=defense, attack=attack, auc=value / 1000 + 0.3)
        for value, (model, unlearner, defense, attack) in enumerate(
            (model, unlearner, defense, attack)
            for model in ("decision-tree", "mlp")
            for unlearner in ("retrain", "none")
            for defense in ("none", "label-only")
            for attack in ("sorted-diff", "forgetting")
        )
    ]


@pytest.fixture(scope="session")
def sections(roles: Roles) -> Sections:
    return lambda rows: leaderboard.sections(tables(rows, roles, TRACKS))


def titled(found: list[Section], title: str) -> Section:
    (section,) = (section for section in found if section.title.startswith(title))
    return section


def test_attacks_stand_against_plain_retraining_without_a_defense(rows: list[Row], sections: Sections) -> None:
    section = titled(sections(rows), "Attacks (adult, single)")
    assert section.headers == ["attack", "decision-tree", "mlp"]
    assert [line[0] for line in section.lines] == ["sorted-diff", "forgetting"]
    (row,) = (
        r
        for r in rows
        if r.names | {"model": "mlp", "unlearner": "retrain", "defense": "none", "attack": "forgetting"} == r.names
    )
    assert section.lines[1][2].startswith(f"{row.metrics['auc'].value:.3f}".lstrip("0"))


def test_unlearners_are_never_judged_on_one_axis_alone(rows: list[Row], sections: Sections) -> None:
    section = titled(sections(rows), "Unlearners")
    assert section.headers == [
        "unlearner",
        "model",
        "deletion inference AUC",
        "highest AUC",
        "surely found",
        "forgetting AUC",
        "test accuracy",
    ]
    assert [tuple(line[:2]) for line in section.lines] == [
        ("retrain", "decision-tree"),
        ("none", "decision-tree"),
        ("retrain", "mlp"),
        ("none", "mlp"),
    ]
    values = {
        (r.names["unlearner"], r.names["model"], r.names["attack"]): r.metrics["auc"].value
        for r in rows
        if r.names["defense"] == "none"
    }
    for unlearner, model, inference, _, _, forgetting, _ in section.lines:
        for shown, attack in ((inference, "sorted-diff"), (forgetting, "forgetting")):
            assert shown.startswith(f"{values[unlearner, model, attack]:.3f}".lstrip("0"))


def test_defenses_are_compared_by_the_first_attack(rows: list[Row], sections: Sections) -> None:
    section = titled(sections(rows), "Defenses")
    assert [line[0] for line in section.lines] == ["none", "label-only"]
    assert section.about.startswith("AUC of sorted-diff")


def test_region_and_record_stand_side_by_side(row: MakeRow, sections: Sections) -> None:
    metrics = {
        "auc": Estimate(0.87, 0.8, 0.9, n=9),
        "auc-matched": Estimate(0.5, n=9, status="no-interval", reason="few"),
        "auc-retained": Estimate.undefined("none asked"),
    }
    section = titled(sections([row(metrics=metrics)]), "Record or region")
    assert section.lines == [["decision-tree", ".870 [.800, .900]", ".500", "n/a"]]


def test_means_stand_for_their_seeds(row: MakeRow) -> None:
    seeds, mean = [row(seed=0), row(seed=1)], row(seed=None)
    assert headline_rows([*seeds, mean]) == [mean]
    assert headline_rows(seeds) == seeds


def test_each_data_set_and_scenario_has_tables_of_its_own(row: MakeRow, sections: Sections) -> None:
    rows = [row(dataset=d, scenario=s) for d in ("adult", "digits") for s in ("single", "group(size=5)")]
    attacks = [section.title for section in sections(rows) if section.title.startswith("Attacks")]
    assert attacks == [f"Attacks ({d}, {s})" for d in ("adult", "digits") for s in ("single", "group(size=5)")]


def test_a_failed_cell_is_told_where_its_number_would_stand(row: MakeRow, sections: Sections) -> None:
    rows = [row(), row(attack="euclidean", status="failed"), row(model="mlp")]
    section = titled(sections(rows), "Attacks")
    assert [list(line) for line in section.lines] == [
        ["sorted-diff", ".720 [.670, .770]", ".720 [.670, .770]"],
        ["euclidean", "failed", "n/a"],
    ]


def test_a_model_that_cannot_be_retrained_plainly_stands_with_the_way_it_can(row: MakeRow, sections: Sections) -> None:
    fresh = "retrain(order=fresh)"
    rows = [
        row(),
        row(unlearner=fresh, auc=0.9),
        row(model="random-forest", status="skipped"),
        row(model="random-forest", unlearner=fresh, auc=0.8),
    ]
    section = titled(sections(rows), "Attacks")
    assert section.headers == ["attack", "decision-tree", f"random-forest, {fresh}"]
    assert [list(line) for line in section.lines] == [["sorted-diff", ".720 [.670, .770]", ".800 [.750, .850]"]]


def test_a_rank_stands_behind_its_number_and_controls_have_none(row: MakeRow, sections: Sections) -> None:
    def known(auc: float) -> dict[str, Estimate]:
        return {"auc": Estimate(auc, auc - 0.02, auc + 0.02, details={"se": 0.005, "degrees": 9.0})}

    rows = [row(metrics=known(0.7)), row(attack="euclidean", metrics=known(0.9)), row(attack="random", auc=0.5)]
    assert [line[1] for line in titled(sections(rows), "Attacks").lines] == [
        ".700 [.680, .720] #2",
        ".900 [.880, .920] #1",
        ".500 [.450, .550]",
    ]


def test_markup_in_a_name_stays_text_in_markdown() -> None:
    section = Section("T<b>", "about", ["a|b"], [["<script>"]])
    assert "T&lt;b&gt;" in section.markdown()
    assert r"a\|b" in section.markdown()
    assert "&lt;script&gt;" in section.markdown()
    assert "<script>" in section.plain()  # a terminal shows it as it is


def test_tables_have_no_blank(rows: list[Row], sections: Sections) -> None:
    for section in sections(rows):
        assert all(len(line) == len(section.headers) and all(line) for line in section.lines)


def test_a_note_stands_below_its_table_in_text_and_in_the_caption_of_a_float(
    rows: list[Row], sections: Sections
) -> None:
    section = titled(sections(rows), "Unlearners")
    (note,) = section.notes
    assert note.startswith("Forgetting AUC has no power here: none, which keeps the deleted records, is not told from")
    assert section.markdown().endswith(f" |\n\n{note}\n")
    assert section.plain().endswith(f"\n\n{note}\n")
    caption = next(line for line in section.latex().splitlines() if line.startswith("\\caption"))
    assert caption.endswith(f"{note}}}")


def test_no_rows_make_no_tables(sections: Sections) -> None:
    assert sections([]) == []


@pytest.fixture
def board(tmp_path: Path, rows: list[Row], row: MakeRow, roles: Roles) -> Path:
    bad = row(attack="random", status="invalid", reason="blind tells")
    return Publication(SUITE, "abc123", {"python": "3.12"}, roles, (*rows, bad)).write(tmp_path)


def test_a_page_is_made_from_the_published_results_alone(board: Path, sections: Sections) -> None:
    publication = Publication.read(board)
    files = build(publication)
    assert files.keys() == {"README.md", "table.csv", "table.tex"}
    assert build_page(publication).items() > files.items()
    text = files["README.md"]
    assert text == page(publication, tables(publication.rows, publication.roles, TRACKS))
    for part in ("# made-up", "Made up.", "do not edit", "Seeds: 0.", "unseen ones: 1 here", "python 3.12", "`abc123`"):
        assert part in text
    assert text.count("\n### ") == len(sections(list(publication.rows)))
    assert build(Publication.read(board)) == files


def test_ranks_are_computed_once_a_page(publication: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []

    def counted(entries: Sequence[Measured], best: Best) -> NDArray[np.bool_]:
        compared.append(len(entries))
        return surely_better(entries, best)

    monkeypatch.setattr(table_building, "surely_better", counted)
    tables(publication.rows, publication.roles, TRACKS)
    once = list(compared)
    compared.clear()
    build(publication)
    assert compared == once != []


def test_a_note_is_on_the_page(board: Path) -> None:
    assert '<p class="note">Forgetting AUC has no power here' in build_page(Publication.read(board))["index.html"]


def test_a_board_without_results_is_a_users_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a published result"):
        Publication.read(tmp_path / "results.json")
