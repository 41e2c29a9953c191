"""Searches for the decision boundary, beside asking about the records once.

Twenty records of a data set are searched by 1,000 queries each under one model, as an episode does. Beside it the model
is asked about 200 records together. The ratio is how many records could be asked about in the time of one search. Time
is that of the processor.
"""

from __future__ import annotations

import time
from functools import cache

import numpy as np
import pytest
from comparing import Compare

from unlearnbench.core.datasets import Dataset
from unlearnbench.core.models import FitTask, Fitted, Seeds, TargetModel
from unlearnbench.core.records import Records, TrainingSet
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.boundary import search_boundary
from unlearnbench.engine.querying import query
from unlearnbench.hooks.registry import load_registry
from unlearnbench.run.instances import PluginInstances, default_ref

BUDGET, SEARCHED, ASKED, TRAINED = 1_000, 20, 200, 1_000
TABLE = "Searches for the decision boundary"


@cache
def plugins() -> PluginInstances:
    """Return the built-in plug-ins."""
    return PluginInstances(load_registry(discover=False))


@cache
def made(dataset: str, model: str) -> tuple[Records, Fitted]:
    """Return records and a model trained on the first of them."""
    registry, make = plugins().registry, plugins().make
    records = make(default_ref(registry, "dataset", dataset), Dataset).load()
    task = FitTask(TrainingSet.of(records, np.arange(TRAINED)), Seeds.at(SeedPath(0)))
    return records, make(default_ref(registry, "model", model), TargetModel).fit_many([task], "cpu")[0]


@pytest.mark.parametrize("dataset", ["adult", "digits"])
@pytest.mark.parametrize("model", ["logistic-regression", "decision-tree", "mlp"])
def bench_search(dataset: str, model: str, compare: Compare) -> None:
    """Search around some records, and ask about more of them."""
    records, fitted = made(dataset, model)

    def search() -> None:
        for record in range(TRAINED - SEARCHED, TRAINED):
            search_boundary(fitted, records, record, BUDGET, SeedPath(0))

    compare(
        model,
        f"{dataset}, {BUDGET} queries a search",
        reference=search,
        reference_models=SEARCHED,
        fast=lambda: query([fitted], records.x[:ASKED], records.n_classes),
        fast_models=ASKED,
        clock=time.process_time,
        table=TABLE,
    )
