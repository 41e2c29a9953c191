"""Public and hidden numbers side by side: a method that fits the public seeds too well is flagged."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.report.hidden import Hidden, HiddenNumber, gaps, hidden_number
from unlearnbench.report.leaderboard import build_page, gap_lines
from unlearnbench.report.publication import Publication
from unlearnbench.run.results import Row, mean_over_seeds

MakeRow = Callable[..., Row]
SHA = "ab" * 32


def number(rows: list[Row]) -> HiddenNumber:
    found = hidden_number({axis: ref.label for axis, ref in rows[0].axes.items()}, rows)  # type: ignore[misc]  # axes are
    assert found is not None
    return found


def over_seeds(row: MakeRow, unlearner: str, values: tuple[float, ...]) -> list[Row]:
    rows = [row(seed=seed, unlearner=unlearner, auc=value) for seed, value in enumerate(values)]
    return [*rows, *mean_over_seeds(rows)]


@pytest.fixture
def hidden(row: MakeRow) -> Hidden:
    """Return numbers on hidden seeds: of one method as on public ones, of the other far from them."""
    numbers = [number(over_seeds(row, name, values)) for name, values in HIDDEN_VALUES.items()]
    head = {"suite_sha256": SHA, "nonce": "spring", "seeds": [7, 8, 9], "environment": {}, "entries": {"a-1": SHA}}
    return Hidden.model_validate({"schema": 1, **head, "numbers": numbers})


PUBLIC_VALUES = {"sisa": (0.70, 0.71, 0.69), "retrain": (0.50, 0.51, 0.505)}
HIDDEN_VALUES = {"sisa": (0.71, 0.70, 0.68), "retrain": (0.80, 0.81, 0.79)}


@pytest.fixture
def board(row: MakeRow, publication: Publication, hidden: Hidden) -> Publication:
    rows = [one for name, values in PUBLIC_VALUES.items() for one in over_seeds(row, name, values)]
    return replace(publication, rows=tuple(rows), hidden=hidden)


def test_a_gap_beyond_chance_is_flagged_and_another_is_not(board: Publication, hidden: Hidden) -> None:
    found = {gap.labels["unlearner"]: gap for gap in gaps(board.rows, hidden)}
    assert {name: gap.flagged for name, gap in found.items()} == {"sisa": False, "retrain": True}
    assert found["sisa"].public.value == pytest.approx(0.70)
    assert found["sisa"].hidden.value == pytest.approx(0.6967, abs=1e-4)


def test_a_board_shows_both_and_the_nonce(board: Publication) -> None:
    files = build_page(board)
    for text in (files["README.md"], files["index.html"]):
        assert "Hidden seeds" in text
        assert "spring" in text
        assert "beyond chance, p" in text
    assert [line[3].partition(",")[0] for line in gap_lines(board)] == ["none beyond chance", "beyond chance"]


def test_control_attacks_are_left_out_of_the_lines(row: MakeRow, board: Publication, hidden: Hidden) -> None:
    controls = [row(seed=0, unlearner="sisa", attack="random", auc=0.5)]
    more = hidden.model_copy(update={"numbers": [*hidden.numbers, number(controls)]})
    shown = gap_lines(replace(board, rows=(*board.rows, *controls), hidden=more))
    assert shown == gap_lines(board)
    assert len(gaps([*board.rows, *controls], more)) == len(shown) + 1


def test_a_cell_without_an_auc_is_not_compared(row: MakeRow, board: Publication, hidden: Hidden) -> None:
    failed = [row(seed=seed, unlearner="sisa", status="failed") for seed in range(3)]
    assert hidden_number(hidden.numbers[0].labels, [*failed, *mean_over_seeds(failed)]) is None
    rows = [one for one in board.rows if one.names["unlearner"] != "sisa"]
    assert [gap.labels["unlearner"] for gap in gaps(rows, hidden)] == ["retrain"]


def test_one_seed_is_compared_by_its_error(row: MakeRow, hidden: Hidden) -> None:
    def known(value: float) -> Row:
        return row(metrics={"auc": Estimate(value, value, value, 40, details={"se": 0.01, "degrees": 9.0})})

    one = replace_numbers(hidden, [number([known(0.9)])])
    assert [gap.flagged for gap in gaps([known(0.6)], one)] == [True]
    assert [gap.p for gap in gaps([row()], one)] == [None]


def replace_numbers(hidden: Hidden, numbers: list[HiddenNumber]) -> Hidden:
    return hidden.model_copy(update={"numbers": numbers})


def test_what_is_written_is_read_again(hidden: Hidden, tmp_path: Path) -> None:
    assert Hidden.read(tmp_path) is None
    hidden.write(tmp_path)
    assert Hidden.read(tmp_path) == hidden


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(schema=2),
        lambda data: data.update(suite_sha256="short"),
        lambda data: data.update(more=1),
        lambda data: data["numbers"][0]["labels"].pop("attack"),
        lambda data: data["numbers"][0]["by_seed"].append(1.5),
        lambda data: data["numbers"][0]["auc"].update(value="high"),
    ],
)
def test_what_is_none_is_refused_in_one_line(
    hidden: Hidden, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    file = hidden.write(tmp_path)
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))
    with pytest.raises(UserError, match="is not what a board has of hidden seeds") as caught:
        Hidden.read(tmp_path)
    assert len(str(caught.value).splitlines()) == 1


def test_an_estimate_without_a_value_is_not_compared(hidden: Hidden) -> None:
    bare = json.dumps(asdict(Estimate.undefined("few")))
    number = HiddenNumber.model_validate_json(json.dumps({
        "labels": dict(hidden.numbers[0].labels), "auc": json.loads(bare), "by_seed": [],
    }))  # fmt: skip
    assert number.measured is None
