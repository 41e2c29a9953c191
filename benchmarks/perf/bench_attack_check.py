"""What it costs that an attack scores single rows: the checks of decision 0022, beside the same stage without them.

Without them an attack is fitted once for the target rows, and scores each request's rows in one view. A ratio of .75
means a third more time. The sizes are those of a suite's defaults. One attack is run in processes of its own too, as
those are that are not built in.
"""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
from comparing import Compare

from unlearnbench.core.attacks import Attack
from unlearnbench.core.observations import Observations
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.records import Provenance, Records
from unlearnbench.core.scenarios import Role
from unlearnbench.hooks.registry import load_registry
from unlearnbench.run import attacking
from unlearnbench.run.game import Game, game_seeds
from unlearnbench.run.instances import PluginInstances, default_ref

ORIGINALS, REQUESTS, CLASSES, FEATURES = 10, 20, 10, 64
ROLES = [Role.FORGOTTEN, *[Role.UNSEEN] * 50, *[Role.MATCHED] * 5, *[Role.RETAINED] * 20]
TABLE = "Attack stage"


def side(seed: int) -> Observations:
    """Return made-up answers about the rows of one side."""
    rng = np.random.default_rng(seed)
    n = ORIGINALS * REQUESTS * len(ROLES)
    role = np.tile(np.array(ROLES, dtype=np.int8), ORIGINALS * REQUESTS)
    before = rng.normal(size=(n, CLASSES))
    after = before + 0.1 * rng.normal(size=(n, CLASSES)) * (1 + (role == Role.FORGOTTEN)[:, None])
    position = np.concatenate([np.arange(ROLES.count(each)) for each in dict.fromkeys(ROLES)])
    member = np.isin(role, (Role.FORGOTTEN, Role.RETAINED))
    return Observations(
        before=log_softmax(before),
        after=log_softmax(after)[:, None],
        versions=np.ones(n, dtype=np.int64),
        member=np.stack([member, role == Role.RETAINED], axis=1),
        label=rng.integers(CLASSES, size=n),
        record=np.arange(n),
        episode=np.repeat(np.arange(ORIGINALS), n // ORIGINALS),
        request=np.tile(np.repeat(np.arange(REQUESTS), len(ROLES)), ORIGINALS),
        role=role,
        position=np.tile(position, ORIGINALS * REQUESTS),
    )


@cache
def game() -> Game:
    """Return a game of default sizes."""
    target, shadow = side(1), side(2)
    x = np.random.default_rng(3).normal(size=(len(target), FEATURES))
    records = Records("made up", x, np.zeros(len(x), dtype=np.int64), CLASSES, Provenance("made up", "none"))
    seeds = game_seeds(0, records)
    return Game.of(records, [target], [shadow], positive=Role.FORGOTTEN, negative=Role.UNSEEN, seeds=seeds)


def unchecked(attack: Attack) -> None:
    """Score without the checks: one fit, and one view of each request's rows."""
    made, seeds = game(), game().seeds
    fitted = attacking._fit(made, attack, np.arange(len(made.balanced)), seeds / "fit")
    requests = np.split(np.arange(len(made.target)), ORIGINALS * REQUESTS)
    sets = [(rows, seeds / "target" / number) for number, rows in enumerate(requests)]
    list(attacking._score(made, "target", sets, fitted, attack.needs))
    attacking._cross_fitted(made, attack, seeds)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("score-diff", ""),
        ("blind", ""),
        ("sorted-diff", "decision-tree"),
        ("sorted-diff", "logistic-regression"),
        ("sorted-diff", "mlp"),
        ("sorted-diff", "lightgbm"),
        ("sorted-diff", "random-forest"),
    ],
)
def bench_checks(name: str, model: str, compare: Compare) -> None:
    """Score an attack with and without the checks."""
    instances = PluginInstances(load_registry(discover=False))
    first, second = instances.attack_twice(
        default_ref(instances.registry, "attack", name, {"model": model} if model else {})
    )
    compare(
        "checks that rows are scored singly",
        f"{name} {model}".strip(),
        reference=partial(unchecked, first),
        fast=lambda: attacking.attack_scores(game(), first, name, second),
        rounds=1 if model == "random-forest" else 5,
        table=TABLE,
    )


CODE = """
from unlearnbench import AttackPlugin, hookimpl
from unlearnbench.builtin.attacks.sorted_diff import SortedDiff


class Mine(SortedDiff):
    pass


@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="mine", summary="SortedDiff, in processes of its own.", factory=Mine)
"""


def bench_processes(compare: Compare, tmp_path: Path) -> None:
    """Score an attack that is not built in, in two processes, beside the same without checks in this process."""
    file = tmp_path / "mine.py"
    file.write_text(CODE, encoding="utf-8")
    instances = PluginInstances(load_registry([file], discover=False))
    ref = default_ref(instances.registry, "attack", "mine")
    first, second = instances.attack_twice(ref)
    compare(
        "checks and processes of its own",
        "sorted-diff decision-tree, not built in",
        reference=partial(unchecked, instances.make(ref, Attack)),
        fast=lambda: attacking.attack_scores(game(), first, "mine", second),
        rounds=5,
        table=TABLE,
    )
