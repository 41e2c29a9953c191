"""Attacks that cheat, on requests that delete nothing: each fails with the reason, or finds nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unlearnbench.core.attacks import Attack
from unlearnbench.hooks.registry import load_registry
from unlearnbench.run.attacking import attack_scores
from unlearnbench.run.evaluation import Evaluator
from unlearnbench.run.instances import PluginInstances, default_ref
from unlearnbench.stats import auc

pytestmark = pytest.mark.slow  # a run of eleven attacks on three unlearners

SIZES = {"originals": 5, "requests": 10, "records": 300, "negatives": 30, "matched": 5, "retained": 10}
CODE = Path(__file__).parent / "cheating_attacks.py"
SEED = 86_420
"""Not a seed that an attack would guess."""
BY_COMPANY = ("crowding", "crowded-answers", "relative", "memory", "global-memory")
BY_ACCESS = ("generator", "callers-frame", "store-on-disk")


@pytest.fixture(scope="module")
def cheated(tmp_path_factory: pytest.TempPathFactory, lab_in: Any) -> Any:
    """Run them all where nothing is unlearned, from the folder that holds the store."""
    folder = tmp_path_factory.mktemp("cheating")
    lab = lab_in(folder)
    code = CODE.read_text(encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return lab.run(
            only=("unlearner=none", "unlearner=noise-floor", "unlearner=retrain"),
            plugins=[lab.plugin(code)],
            datasets=["digits"],
            models=["logistic-regression"],
            attacks=[*BY_COMPANY, *BY_ACCESS, "guessed-seed", "sorted-diff", "score-diff"],
            seeds=[SEED],
            episodes=SIZES,
            engine="auto",
        )


@pytest.mark.parametrize("attack", BY_COMPANY)
def test_an_attack_that_reads_the_company_of_a_row_fails_with_the_reason(cheated: Any, attack: str) -> None:
    for unlearner in ("none", "retrain"):
        row = cheated.row(attack=attack, unlearner=unlearner)
        assert row.status == "failed"
        assert "another score" in row.reason
        assert "\n" not in row.reason


@pytest.mark.parametrize("attack", BY_ACCESS)
def test_an_attack_that_looks_for_roles_around_it_finds_nothing(cheated: Any, attack: str) -> None:
    row = cheated.row(attack=attack, unlearner="none")
    assert row.status == "ok"
    for name in ("auc", "auc-matched", "auc-retained"):
        assert row.metrics[name].value == pytest.approx(0.5, abs=0.1)


def test_an_attack_that_knows_the_seed_is_marked_by_the_unlearners_that_delete_nothing(cheated: Any) -> None:
    for unlearner in ("none", "noise-floor", "retrain"):
        row = cheated.row(attack="guessed-seed", unlearner=unlearner)
        assert row.metrics["auc"].value == 1
        assert row.status == "invalid"
        assert row.reason.startswith("tells forgotten from retained records where n")


def test_attacks_that_do_not_cheat_stay_as_they_are(cheated: Any) -> None:
    for attack in ("sorted-diff", "score-diff", "classical", "forgetting", "random", "blind"):
        for unlearner in ("none", "noise-floor", "retrain"):
            assert cheated.row(attack=attack, unlearner=unlearner).status == "ok"


@pytest.mark.parametrize("attack", ["callers-frame", "store-on-disk"])
def test_in_the_process_of_the_run_it_would_have_found_all(
    cheated: Any, attack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attacks do cheat: given what they look for, they are right."""
    monkeypatch.chdir(cheated.store.root.parent)
    registry = load_registry([CODE])
    instances = PluginInstances(registry)
    group = cheated.plan.groups[0]
    evaluator = Evaluator.load(group, cheated.store, instances)
    game = evaluator._game
    made = instances.make(default_ref(registry, "attack", attack), Attack)
    scores = attack_scores(game, made, attack).target
    rows = np.isin(game.target.role, (game.positive, game.negative))
    assert auc(scores[rows], game.deleted(game.target)[rows]) == 1
