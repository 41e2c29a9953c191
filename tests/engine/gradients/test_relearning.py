from __future__ import annotations

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import Case, made_up, weights
from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.core.models import Fitted
from unlearnbench.core.records import Step
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients.relearning import BATCH, OPTIMIZER, SLACK, accuracy, relearned
from unlearnbench.engine.gradients.unlearner import has_module

KNOWN = Case(MLP(hidden=(8,), epochs=60, batch_size=16), made_up())
ORIGINAL = KNOWN.original()
REQUEST = Request((Step(np.arange(12)),))
DELETED = replace(ORIGINAL.data, ids=np.arange(12), mask=np.ones(12, dtype=np.bool_))


def scaled(factor: float, bias: float = 0.0) -> Fitted:
    """Return the original with weights times ``factor``, whose last layer favours the first class by ``bias``."""
    fitted = has_module(ORIGINAL.fitted)
    module = copy.deepcopy(fitted.module)
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(factor)
        list(module.parameters())[-1][0] += bias
    return fitted.with_module(module)


def epochs(fitted: Fitted, most: int = 20) -> float:
    return relearned(ORIGINAL, REQUEST, fitted, most, SeedPath(3))


def test_one_that_still_knows_the_records_takes_no_epoch() -> None:
    assert epochs(ORIGINAL.fitted) == 0
    assert epochs(scaled(1.0)) == 0


def test_it_is_the_number_of_epochs_of_plain_training_on_the_records_alone() -> None:
    """Twelve records are one batch, so an epoch is a step of SGD on their mean loss."""
    forgot = has_module(scaled(0.5, bias=2.0))
    module, taken = copy.deepcopy(forgot.module), 0
    optimizer = torch.optim.SGD(module.parameters(), lr=OPTIMIZER.learning_rate, momentum=OPTIMIZER.momentum)
    x, y = forgot.inputs(KNOWN.records.x[:12]), torch.tensor(KNOWN.records.y[:12])
    while accuracy(forgot.with_module(module.eval()), DELETED) < accuracy(ORIGINAL.fitted, DELETED) - SLACK:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(module(x), y).backward()  # type: ignore[no-untyped-call]  # torch has no type for it
        optimizer.step()
        taken += 1
    assert taken > 1
    assert BATCH >= 12
    assert epochs(forgot, 1000) == taken
    assert epochs(forgot, taken - 1) == taken - 1


def test_the_network_itself_stays() -> None:
    forgot = scaled(0.5, bias=2.0)
    before = weights(forgot)
    epochs(forgot)
    assert np.array_equal(weights(forgot), before)


def test_one_whose_weights_overflow_does_not_come_back() -> None:
    assert epochs(scaled(1e18, bias=3e38), most=3) == 3


@pytest.mark.parametrize("ids", [[], [75, 80]])
def test_without_a_deleted_record_of_the_training_set_there_is_no_number(ids: list[int]) -> None:
    assert math.isnan(
        relearned(ORIGINAL, Request((Step(np.array(ids, dtype=np.int64)),)), ORIGINAL.fitted, 5, SeedPath(3))
    )


def test_what_is_no_network_has_no_number() -> None:
    tree = Case(DecisionTree(), made_up()).original()
    assert math.isnan(relearned(tree, REQUEST, tree.fitted, 5, SeedPath(3)))
