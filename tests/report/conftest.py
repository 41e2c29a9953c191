"""Rows made by hand, so that these tests know every number, and a board with everything on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from unlearnbench.core.estimates import Estimate
from unlearnbench.hooks.records import AttackPlugin
from unlearnbench.hooks.registry import Registry
from unlearnbench.report.leaderboard import build_page
from unlearnbench.report.publication import Publication
from unlearnbench.report.roles import PluginRole, Roles
from unlearnbench.run.results import Row, RowStatus, mean_over_seeds
from unlearnbench.suite.model import AXES, Axis, PluginRef

MakeRow = Callable[..., Row]


def make_row(
    seed: int | None = 0,
    status: RowStatus = "ok",
    reason: str = "",
    metrics: dict[str, Estimate] | None = None,
    auc: float = 0.72,
    **labels: str,
) -> Row:
    """A row; ``labels`` are those of axes, of which the part before a parenthesis is the name."""
    known: dict[str, str] = {**dict.fromkeys(AXES, "none"), "dataset": "adult", "model": "decision-tree"}
    known |= {"unlearner": "retrain", "scenario": "single", "attack": "sorted-diff", **labels}
    axes = {axis: PluginRef(cast(Axis, axis), label.partition("(")[0], {}, label) for axis, label in known.items()}
    numbers = {"auc": Estimate(auc, auc - 0.05, auc + 0.05, n=40)} if metrics is None else metrics
    has_numbers = status in ("ok", "invalid")
    return Row(axes, seed, status, reason or ("" if status == "ok" else "it broke"), numbers if has_numbers else {})


@pytest.fixture(scope="session")
def row() -> MakeRow:
    return make_row


SEEDS = (0, 1, 2)
NASTY = "blind('<script>throw 1</script>')"
AUCS = {"sorted-diff": 0.9, "euclidean": 0.8, "score-diff": 0.8, "forgetting": 0.55, "classical": 0.52, "random": 0.5}
UNLEARNERS = {"retrain": 0.0, "none": -0.4, "sisa": -0.1, "<b>fast</b>": -0.3}
WIGGLE = (0.0, 0.004, -0.004)


def metrics(auc: float, accuracy: float) -> dict[str, Estimate]:
    return {
        "auc": Estimate(
            auc, auc - 0.03, min(auc + 0.03, 1.0), 40, details={"se": 0.01, "clusters": 5.0, "degrees": 4.0}
        ),
        "auc-matched": Estimate(0.5, n=40, status="no-interval", reason="few"),
        "auc-retained": Estimate(auc - 0.01, auc - 0.04, auc, 40),
        "tpr-at-fpr-0.01": Estimate.undefined("n/a (ties)", 40),
        "test-accuracy-unlearned": Estimate(accuracy, accuracy - 0.01, accuracy + 0.01, 40),
        "released-test-accuracy": Estimate(accuracy - 0.02, accuracy - 0.03, accuracy - 0.01, 40),
    }


def all_rows(row: MakeRow) -> list[Row]:
    """Return the rows of each seed, then the means."""
    seeds = [
        row(
            seed=seed,
            model=model,
            unlearner=unlearner,
            defense=defense,
            attack=attack,
            metrics=metrics(
                _auc(auc, -shift if attack == "forgetting" else shift, defense) + WIGGLE[(seed + i) % 3],
                0.8 - shift / 10,
            ),
        )
        for model in ("decision-tree", "mlp")
        for unlearner, shift in UNLEARNERS.items()
        for defense in ("none", "label-only", "temperature")
        for i, (attack, auc) in enumerate(AUCS.items())
        for seed in SEEDS
    ]
    nasty = [row(seed=seed, attack=NASTY, metrics=metrics(0.5, 0.8)) for seed in SEEDS]
    failed = [row(seed=seed, attack="euclidean(k=1)", status="failed", reason="<i>no</i> luck") for seed in SEEDS]
    rows = [*seeds, *nasty, *failed]
    return [*rows, *mean_over_seeds(rows)]


def _auc(auc: float, shift: float, defense: str) -> float:
    return 0.5 + (auc - 0.5) * (1 + shift) * {"none": 1, "label-only": 0.1, "temperature": 1}[defense]


@pytest.fixture(scope="session")
def roles(registry: Registry) -> Roles:
    """Return the roles of all built-in plug-ins, and of one that is not built in."""
    known: dict[str, dict[str, PluginRole]] = {
        axis: {
            entry.name: PluginRole(
                entry.plugin.role, entry.plugin.versions if isinstance(entry.plugin, AttackPlugin) else None
            )
            for entry in registry.all(axis)
        }
        for axis in AXES
    }
    known["unlearner"]["<b>fast</b>"] = PluginRole()
    return Roles(known)


@pytest.fixture(scope="session")
def publication(row: MakeRow, roles: Roles) -> Publication:
    suite = {
        "suite": "made-up",
        "version": 1,
        "description": "Made up & <u>marked up</u>.",
        "seeds": list(SEEDS),
        "models": [{"name": "decision-tree"}, {"name": "mlp"}],
        "engine": "auto",
    }
    environment = {"python": "3.12", "processor": "<em>fast</em>"}
    return Publication(suite, "abc123", environment, roles, tuple(all_rows(row)))


@pytest.fixture(scope="session")
def board(publication: Publication, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write and build the board; return its page."""
    results = publication.write(tmp_path_factory.mktemp("leaderboards"))
    for name, text in build_page(publication).items():
        results.with_name(name).write_text(text, encoding="utf-8")
    return results.parent / "index.html"
