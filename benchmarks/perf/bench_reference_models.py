"""Reference models and the attacks on single records, on one core.

Models: reference models that are asked about 200 records of Adult, from nothing to their answers. Each deletes its
members among them, 20 in a request or one. Beside it the same, one model at a time: by the kind's plain ``fit``, or by
one deletion after the other. Every reference model is made by itself, so a share of 64 tells the rate of all: networks
are 8 of them, the plain side is 2. Scores: 100,000 rows and 64 reference models, beside scoring one row at a time. Time
is that of the processor.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from comparing import Compare

from unlearnbench.core.attacks import Attack
from unlearnbench.core.models import Engine
from unlearnbench.core.observations import Needs, View
from unlearnbench.core.options import PLAIN
from unlearnbench.core.pools import side_halves
from unlearnbench.core.references import PopulationAnswers, ReferenceAnswers
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.engine.gradients import train
from unlearnbench.hooks.registry import load_registry
from unlearnbench.run.cells import ReferenceTask
from unlearnbench.run.instances import PluginInstances, default_ref
from unlearnbench.run.reference_models import ReferenceParts, observe_reference

MODELS, QUERIED, RECORDS = 64, 200, 1000
SHARE = 8
"""How many of them are made where each takes seconds."""
ROWS, POPULATION = 100_000, 1000
TABLE = "Reference models"
Params = Mapping[str, object]


@cache
def plugins() -> PluginInstances:
    """Return the built-in plug-ins."""
    return PluginInstances(load_registry(discover=False))


def make_models(model: str, params: Params, method: str, per_request: int, engine: Engine, models: int) -> None:
    """Train the first reference models and ask them, each by itself as a run does."""
    instances = plugins()
    registry, dataset = instances.registry, default_ref(instances.registry, "dataset", "adult")
    records = instances.records(dataset)
    queried = np.sort(side_halves(records, "target", SeedPath(0) / records.name)[0][:QUERIED])
    unlearner = default_ref(registry, "unlearner", method)
    for number in range(models):
        task = ReferenceTask(
            dataset=dataset,
            model=default_ref(registry, "model", model, params),
            unlearner=unlearner,
            defense=None,
            records=RECORDS,
            number=number,
            per_request=per_request,
            population=0,
            queried=QUERIED,
            seed=0,
            engine=engine,
            device="cpu",
            options=PLAIN,
            targets=(),
            key="",
        )
        parts = ReferenceParts.of(task, queried, instances)
        observe_reference(parts, parts.make_original(task, instances), instances.make(unlearner, Unlearner))


@pytest.mark.parametrize("per_request", [20, 1])
@pytest.mark.parametrize(
    ("model", "params", "method", "models"),
    [
        ("logistic-regression", {}, "retrain", MODELS),
        ("decision-tree", {}, "retrain", MODELS),
        ("mlp", {"hidden": [64, 32]}, "retrain", SHARE),
        ("mlp", {"hidden": [64, 32]}, "finetune", SHARE),
    ],
    ids=["logistic-regression", "decision-tree", "mlp-retrain", "mlp-finetune"],
)
def bench_models(model: str, params: Params, method: str, models: int, per_request: int, compare: Compare) -> None:
    """Make all reference models or a share of them, and two of them one model at a time."""

    def one_by_one() -> None:
        with patch.object(train, "stackable", return_value=False):
            make_models(model, params, method, per_request, "reference", 2)

    compare(
        f"{model}, {method}",
        f"{models} of {MODELS} models, {QUERIED} records, {per_request} a request",
        reference=one_by_one,
        reference_models=2,
        fast=lambda: make_models(model, params, method, per_request, "fast", models),
        fast_models=models,
        rounds=1,
        clock=time.process_time,
        table=TABLE,
    )


@cache
def view() -> View:
    """Return rows of one original and 20 requests."""
    rng = np.random.default_rng(0)
    odds = rng.normal(scale=3.0, size=(ROWS, 2))
    member = np.argsort(rng.random((ROWS, MODELS)), axis=1) < MODELS // 2
    answers = rng.normal(scale=2.0, size=(2, ROWS, MODELS)) + member
    others = rng.normal(size=(2, POPULATION, MODELS))
    nobody = ReferenceAnswers(others[0], others[1], np.zeros(others[0].shape, dtype=np.bool_))
    request = np.arange(ROWS) % 20
    asked = rng.normal(size=(2, 20, POPULATION))
    log_posteriors = [-np.log1p(np.exp(np.stack([-q, q], axis=1))) for q in odds.T]
    zeros = np.zeros(ROWS, dtype=np.int64)
    return View(
        Needs(label=True, references=MODELS, population=POPULATION),
        2,
        zeros,
        request,
        np.zeros(ROWS, dtype=np.uint64),
        log_posteriors[0],
        log_posteriors[1][:, None],
        np.ones(ROWS, dtype=np.int64),
        zeros,
        np.empty((ROWS, 0)),
        ReferenceAnswers(answers[0], answers[1], member),
        PopulationAnswers(request, asked[0], asked[1], nobody),
        None,
        None,
    )


def alone(row: int) -> View:
    """Return one of the rows in a view of its own."""
    whole, chosen = view(), np.array([row])
    names = ("episode", "request", "key", "_before", "_after", "_versions", "_label", "_features")
    arrays: dict[str, Any] = {name: getattr(whole, name)[chosen] for name in names}
    population = replace(whole.population, group=whole.population.group[chosen])
    return replace(whole, **arrays, _references=whole.references.take(chosen), _population=population)


@cache
def singles() -> list[View]:
    """Return some of the rows, each in a view of its own."""
    return [alone(row) for row in range(100)]


@pytest.mark.parametrize(
    "name", ["u-lira", "u-lira-pair", "ruli", "lira", "lira-offline", "update-lira", "iam", "rmia"]
)
def bench_scores(name: str, compare: Compare) -> None:
    """Score 100,000 rows together, and some of them alone."""
    attack = plugins().make(default_ref(plugins().registry, "attack", name, {"references": MODELS}), Attack)
    score: Callable[[View], object] = attack.score  # type: ignore[attr-defined]  # they are formulas
    compare(
        f"scores of {name}",
        f"{ROWS} rows, {MODELS} models",
        reference=lambda: [score(part) for part in singles()],
        reference_models=len(singles()),
        fast=lambda: score(view()),
        fast_models=ROWS,
        clock=time.process_time,
        table=TABLE,
    )
