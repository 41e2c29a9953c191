from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import unlearnbench
from tests.run.games import (
    NEGATIVES,
    REQUESTS,
    ByPlace,
    auc_of,
    make_game,
)
from unlearnbench.core.attacks import Attack
from unlearnbench.core.observations import Needs, Observations, View
from unlearnbench.core.scenarios import Role
from unlearnbench.hooks.parameters import build
from unlearnbench.hooks.records import AttackPlugin
from unlearnbench.hooks.registry import Registry, load_registry
from unlearnbench.run.attacking import attack_scores
from unlearnbench.run.game import Game

PACKAGE = Path(unlearnbench.__file__).parent


ATTACKS = [
    found.name
    for found in load_registry(discover=False).all("attack")
    if isinstance(found.plugin, AttackPlugin) and not found.plugin.knows_truth
]
"""Every registered attack but the one that is handed the truth."""


@pytest.mark.parametrize("name", ATTACKS)
def test_target_membership_and_roles_change_no_score(game: Game, registry: Registry, name: str) -> None:
    attack = build(registry.get("attack", name), {})
    assert isinstance(attack, Attack)
    honest, mixed = (attack_scores(g, attack, name) for g in (game, replace(game, target=mix(game.target))))
    assert honest.target.tobytes() == mixed.target.tobytes()
    assert honest.shadow.tobytes() == mixed.shadow.tobytes()


def mix(rows: Observations) -> Observations:
    """Give rows the membership, roles and positions of other rows."""
    order = np.random.default_rng(0).permutation(len(rows))
    return replace(rows, member=rows.member[order], role=rows.role[order], position=rows.position[order])


def test_views_are_made_by_the_game_alone() -> None:
    """What an attack is shown on any path of the package comes from the two methods that the tests here are about."""
    makers = [
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("View", "ShadowView")
    ]
    assert {file for file in makers if not file.startswith("testing")} == {str(Path("run") / "game.py")}


def test_the_order_of_rows_tells_nothing() -> None:
    game = make_game(originals=60)
    by_place = np.empty(len(game.target))
    for company in game.companies:
        view, order = game.view("target", Needs(), company.rows, game.seeds / company.parts[0] / company.parts[1])
        by_place[company.rows[order]] = ByPlace().score(view)
    assert auc_of(game, by_place) == pytest.approx(0.5, abs=0.06)
    laid_out = View(Needs(), 3, game.target.episode, game.target.request, *[np.empty(0)] * 10)  # type: ignore[arg-type]  # unread
    assert auc_of(game, ByPlace().score(laid_out)) == 1, "without shuffling the place would give all away"


def test_rows_are_in_company_of_those_they_could_be_exchanged_with(game: Game) -> None:
    """Deleted and unseen rows of a request are in one view; matched and retained rows of an original in two others."""
    assert np.array_equal(
        np.sort(np.concatenate([company.rows for company in game.companies])), np.arange(len(game.target))
    )
    mixed, alike = game.companies[: 6 * REQUESTS], game.companies[6 * REQUESTS :]
    for company in mixed:
        rows = game.target.take(company.rows)
        assert sorted(rows.role.tolist()) == [Role.FORGOTTEN] + [Role.UNSEEN] * NEGATIVES
        assert len(np.unique(rows.episode)) == len(np.unique(rows.request)) == 1
    assert len(alike) == 2 * 6
    for company in alike:
        rows = game.target.take(company.rows)
        assert len(set(rows.role.tolist())) == len(np.unique(rows.episode)) == 1
        assert len(np.unique(rows.request)) == REQUESTS


def test_a_row_has_the_same_key_in_any_view_and_another_key_than_other_rows(game: Game) -> None:
    rows = np.arange(len(game.target))
    view, order = game.view("target", Needs(), rows, game.seeds / "one")
    keys = np.empty(len(rows), dtype=np.uint64)
    keys[order] = view.key
    assert len(np.unique(keys)) == len(rows)
    other, order = game.view("target", Needs(versions="none"), rows[5:40], game.seeds / "other")
    assert np.array_equal(other.key, keys[5:40][order])


def test_how_often_a_record_recurs_in_a_request_tells_nothing(game: Game) -> None:
    record = game.target.record.copy()
    record[game.target.role == Role.UNSEEN] = np.tile(record[:NEGATIVES], np.sum(game.target.role == Role.UNSEEN) // 9)
    record[game.target.role == Role.MATCHED] = record[0]  # matched and random at once
    recurring = replace(game, target=replace(game.target, record=record))
    for company in recurring.companies:
        queried = np.stack([recurring.target.request, record])[:, company.distinct]
        assert np.unique(queried, axis=1).shape[1] == len(company.distinct)
        assert np.array_equal(record[company.rows], record[company.distinct][company.inverse])
