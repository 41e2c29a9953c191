"""What a plug-in returns is checked before anything is computed from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.run.conftest import Lab


RETURNS = """
import numpy as np
from dataclasses import dataclass
from typing import Literal
from unlearnbench import (
    AttackPlugin, DefensePlugin, ExactUnlearner, FunctionUnlearner, Metric, MetricPlugin, ModelPlugin,
    PublicationDefense, Queries, ReleaseDefense, Request, Scenario, ScenarioPlugin, ScoreAttack, Step, TargetModel,
    UnlearnerPlugin, hookimpl,
)

WRONG = {
    "complex": lambda a: a + 0j,
    "objects": lambda a: a.astype(object),
    "texts": lambda a: a.astype(str),
    "nan": lambda a: a * np.nan,
    "short": lambda a: a[:-1],
    "unnormalized": lambda a: a + 0.1,
    "probabilities": np.exp,
    "nothing": lambda a: None,
}

@dataclass(frozen=True)
class Answers:
    inner: object
    wrong: str
    def log_posteriors(self, x):
        return WRONG[self.wrong](np.full((len(x), 2), np.log(0.5)))

@dataclass(frozen=True)
class Model(TargetModel):
    wrong: str = "nan"
    def fit(self, task, device):
        if self.wrong == "no model":
            return object()
        return Answers(None, self.wrong)

@dataclass(frozen=True)
class Attack(ScoreAttack):
    wrong: str = "nan"
    def score(self, view):
        return WRONG[self.wrong](view.before[:, 0])

@dataclass(frozen=True)
class Release(ReleaseDefense):
    wrong: str = "nan"
    def release(self, log_posteriors, keys):
        return WRONG[self.wrong](log_posteriors)

@dataclass(frozen=True)
class Schedule(PublicationDefense):
    wrong: str = "lost"
    def schedule(self, requests):
        return {"lost": requests[:-1], "twice": [*requests, requests[0]], "ids": [[0]], "none": None}[self.wrong]

@dataclass(frozen=True)
class Asks(Scenario):
    wrong: str = "few"
    def deletions_needed(self, sizes):
        return sizes.requests
    def requests(self, pools, sizes, seeds, original):
        made = [Request((Step(pools.deletable[r : r + 1]),)) for r in range(sizes.requests)]
        return {
            "few": made[:-1],
            "unseen": [Request((Step(pools.unseen[r : r + 1]),)) for r in range(sizes.requests)],
            "negative": [Request((Step(np.array([-1])),))] * sizes.requests,
            "no step": [Request(())] * sizes.requests,
            "arrays": [request.forgotten for request in made],
        }.get(self.wrong, made)
    def queries(self, request, *rest):
        made = super().queries(request, *rest)
        if self.wrong == "far":
            return Queries(made.ids + 10**6, made.role, made.position)
        if self.wrong == "role":
            return Queries(made.ids, made.role + 9, made.position)
        return made if self.wrong != "ids" else made.ids

@dataclass(frozen=True)
class Unlearner(FunctionUnlearner):
    wrong: str = "nan"
    def unlearn(self, deletion):
        if self.wrong == "no model":
            return object()
        return Answers(None, self.wrong)
    def serve_all(self, state, requests, seeds):
        if self.wrong == "versions":
            return [[] for _ in requests]
        return super().serve_all(state, requests, seeds)

@dataclass(frozen=True)
class Measures(Metric):
    wrong: str = "list"
    def measure(self, cell):
        return {"list": [0.5], "number": {"mine": 0.5}, "none": None, "key": {3: 0.5}}[self.wrong]

@hookimpl
def unlearnbench_models():
    yield ModelPlugin(name="wrong", summary="Wrong.", factory=Model)

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="wrong", summary="Wrong.", factory=Attack)

@hookimpl
def unlearnbench_defenses():
    yield DefensePlugin(name="wrong-release", summary="Wrong.", factory=Release)
    yield DefensePlugin(name="wrong-schedule", summary="Wrong.", factory=Schedule, stage="publication")

@hookimpl
def unlearnbench_scenarios():
    yield ScenarioPlugin(name="wrong", summary="Wrong.", factory=Asks)

@hookimpl
def unlearnbench_unlearners():
    yield UnlearnerPlugin(name="wrong", summary="Wrong.", factory=Unlearner)

@hookimpl
def unlearnbench_metrics():
    yield MetricPlugin(name="wrong", summary="Wrong.", factory=Measures)
"""


POSTERIORS = {
    "complex": "they are of type complex128",
    "objects": "they are of type object",
    "texts": "they are of type <U",
    "nan": "are not finite",
    "short": "they are of shape",
    "unnormalized": "the posteriors of row 0 sum to 1.10517, not 1",
    "nothing": "they are of type object",
}


PROBABILITIES = {"probabilities": "the posteriors of row 0 sum to"}


SCORES = {
    "complex": "their type is complex128",
    "objects": "their type is object",
    "texts": "their type is <U",
    "nan": "of them not finite",
    "short": "got shape",
    "nothing": "their type is object",
}


NO_MODEL = {"no model": "a trained model must have log_posteriors(x), object has not"}


REASONS = {
    ("models", "wrong"): POSTERIORS | PROBABILITIES | NO_MODEL,
    ("unlearners", "wrong"): POSTERIORS
    | {"no model": "unlearn must return a fitted model, got object"}
    | {"versions": "an unlearner must return a version for each step"},
    ("defenses", "wrong-release"): POSTERIORS | PROBABILITIES,
    ("defenses", "wrong-schedule"): {
        "lost": "a defense must serve every request once: 3 records to be forgotten, it serves 2",
        "twice": "a defense must serve every request once: 3 records to be forgotten, it serves 4",
        "ids": "a defense must return a list of Request, got [[0]]",
        "none": "a defense must return a list of Request, got None",
    },
    ("scenarios", "wrong"): {
        "few": "a scenario must return 3 requests, as its sizes say, got 2",
        "unseen": "a scenario must delete records of the training set, request 0 deletes",
        "negative": "a scenario names record -1, and breast-cancer has ids 0 to 568",
        "no step": "a scenario must return requests of one step or more, request 0 has none",
        "arrays": "a scenario must return a list of Request, got [array(",
        "far": "a scenario names record 1000",
        "role": "is no role, which are 0 to 4",
        "ids": "a scenario must return Queries, got array(",
    },
    ("attacks", "wrong"): SCORES,
    ("metrics", "wrong"): {
        "list": "must return estimates by name, got [0.5]",
        "number": "gives mine, which must be an Estimate",
        "none": "must return estimates by name, got None",
        "key": "must return estimates by name, got {3: 0.5}",
    },
}


@pytest.mark.parametrize(("kind", "name"), REASONS)
def test_what_a_plugin_returns_wrongly_fails_with_what_is_wrong(lab: Lab, kind: str, name: str) -> None:
    wrong = REASONS[kind, name]
    listed = [{"name": name, "params": {"wrong": word}} for word in wrong]
    with_wrong: dict[str, object] = {"unlearners": ["none"], "attacks": ["blind"], kind: listed}
    if kind == "metrics":  # each is of all cells
        for word, entry in zip(wrong, listed, strict=True):
            ran = lab.run(
                word, only=("unlearner=none",), plugins=[lab.plugin(RETURNS)], attacks=["blind"], metrics=[entry]
            )
            assert all(wrong[word] in row.reason for row in ran.rows)
        return
    only = ("unlearner=none",) if kind != "unlearners" else ("unlearner=wrong",)
    ran = lab.run(only=only, plugins=[lab.plugin(RETURNS)], **with_wrong)  # type: ignore[arg-type]  # keys of a suite
    for word, reason in wrong.items():
        rows = [row for row in ran.rows if row.axes[kind[:-1]].params.get("wrong") == word]
        assert rows
        assert all(row.status == "failed" and reason in row.reason for row in rows), (word, rows[0].reason)
