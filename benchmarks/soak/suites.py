"""Random small suites, which take seconds to run."""

from __future__ import annotations

import json
import random
from pathlib import Path

PLUGINS = """
import numpy as np
from unlearnbench import AttackPlugin, FunctionUnlearner, ScoreAttack, UnlearnerPlugin, hookimpl


class Move(ScoreAttack):
    def score(self, view):
        return np.abs(np.exp(view.before) - np.exp(view.after)).max(axis=1)


class Keep(FunctionUnlearner):
    def unlearn(self, deletion):
        return deletion.fitted


@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="move", summary="How far a posterior moved", factory=Move)


@hookimpl
def unlearnbench_unlearners():
    yield UnlearnerPlugin(name="keep", summary="Returns the original", factory=Keep)
"""
"""Code that is not built in: its attacks run in processes of their own."""
CHOICES: dict[str, list[object]] = {
    "models": ["decision-tree", "logistic-regression"],
    "unlearners": ["retrain", "keep", {"name": "sisa", "params": {"shards": 2}}],
    "attacks": ["sorted-diff", "move", "score-diff", "direct-concat"],
    "scenarios": ["single", {"name": "group", "params": {"size": 2}}],
    "defenses": ["none", "label-only", {"name": "top-k", "params": {"k": 1}}],
}


def write_suite(folder: Path, rng: random.Random) -> Path:
    """Write a random suite and its plug-ins into a folder; return the path of the suite."""
    (folder / "plugins.py").write_text(PLUGINS, encoding="utf-8")
    suite = {
        "suite": "soak",
        "version": 1,
        "plugins": ["plugins.py"],
        "datasets": ["breast-cancer"],
        **_choices(rng),
        "seeds": [rng.randrange(100)],
        "episodes": _sizes(rng),
    }
    path = folder / "soak.yaml"
    path.write_text(json.dumps(suite), encoding="utf-8")  # JSON is YAML
    return path


def _choices(rng: random.Random) -> dict[str, list[object]]:
    """Return one of what there is on each axis, and two on one of them."""
    twice = rng.choice(sorted(CHOICES))
    return {axis: rng.sample(known, 2 if axis == twice else 1) for axis, known in CHOICES.items()}


def _sizes(rng: random.Random) -> dict[str, int]:
    requests, records = rng.randint(1, 3), rng.randint(50, 90)
    return {"originals": 2, "requests": requests, "records": records, "negatives": 6, "matched": 1, "retained": 2}
