"""Seeds and cells that nobody knows before a nonce is announced."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.submissions.house import House, house_in
from unlearnbench.builtin.executors.serial import SerialExecutor
from unlearnbench.core.errors import UserError
from unlearnbench.report.leaderboard import build_page
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.store import Store
from unlearnbench.submissions.board import read_boards
from unlearnbench.submissions.rerun import drawn_cells
from unlearnbench.submissions.reseed import Reseeding, hidden_seeds


def reseeding(house: House) -> Reseeding:
    return Reseeding(house.suite, PluginInstances(house.registry), Store(house.home / "store"), SerialExecutor())


def test_top_entries_are_run_on_seeds_that_follow_from_the_nonce(house: House) -> None:
    hidden = reseeding(house)(house.board, "spring", 1)
    assert hidden.seeds == list(hidden_seeds(house.suite, "spring"))
    assert len(hidden.entries) == 1
    assert {number.labels["unlearner"] for number in hidden.numbers} >= {"retrain"}
    assert hidden == reseeding(house)(house.board, "spring", 1)
    hidden.write(house.board)
    boards, found = read_boards(house.home / "leaderboards")
    assert found == []
    assert "Hidden seeds" in build_page(boards[house.board])["index.html"]


def test_seeds_differ_by_nonce_and_are_none_of_the_suites(five: House) -> None:
    many = replace(five.suite, seeds=tuple(range(50)))
    seeds = hidden_seeds(many, "spring")
    assert len(set(seeds)) == 50
    assert not set(seeds) & set(many.seeds)
    assert set(seeds) != set(hidden_seeds(many, "autumn"))


def test_without_a_nonce_or_entries_nothing_is_run(house: House, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--nonce takes a text"):
        reseeding(house)(house.board, " ", 1)
    alone = house_in(tmp_path, "alone")
    with pytest.raises(UserError, match="has no entry of suite alone"):
        reseeding(alone)(alone.board, "spring", 1)
    alone.enter("", "Ada")
    with pytest.raises(UserError, match="no entry but the reference entry"):
        reseeding(alone)(alone.board, "spring", 1)


def test_draws_always_touch_the_entrys_own_cells(five: House) -> None:
    (folder,) = five.board.glob("submissions/unlearner-sisa-shards-2-*")
    context = five.check(folder).context
    assert context is not None
    own = sum(context.owns((*cell.labels.values(), str(cell.seed))) for cell in context.plan.cells.values())
    for n in (1, 2, 4, 8, own, len(context.plan.cells)):
        drawn = [context.owns(name) for name in drawn_cells(context, n, "spring")]
        assert len(drawn) == n
        assert sum(drawn) >= min(own, n - n // 4)
        assert any(drawn)
    assert len(drawn_cells(context, 10**6, "spring")) == len(context.plan.cells)
