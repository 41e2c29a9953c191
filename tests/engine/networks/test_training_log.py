from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import LINEAR, NETWORK, Case, gradient, weights
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.options import DPSGD, TrainingOptions
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.batches import epochs_of_batches
from unlearnbench.engine.gradients.unlearner import has_module
from unlearnbench.engine.networks.training_log import TrainingLog, flat


def logged(case: Case) -> tuple[TrainingLog, np.ndarray]:
    log = TrainingLog()
    return log, weights(case.original().train_with(log))


def test_the_batches_are_those_of_training_and_the_weights_lead_from_the_untrained_network_to_the_model() -> None:
    log, trained = logged(NETWORK)
    original = NETWORK.original()
    expected = [
        original.data.ids[rows] for _, rows in epochs_of_batches(original.data, original.job.seeds.order, 3, 16)
    ]
    assert [batch.tolist() for batch in log.batches] == [rows.tolist() for rows in expected]
    np.testing.assert_array_equal(trained, weights(original.fitted))
    whole = log.start + log.updates(np.arange(len(log.batches)))
    np.testing.assert_array_equal(whole.astype(np.float32), trained)


def test_each_update_is_that_of_its_own_batch_alone() -> None:
    """Of softmax regression by SGD, from the formula of the gradient."""
    case = Case(MLP(hidden=(), epochs=2, batch_size=16, optimizer="sgd", learning_rate=0.1), LINEAR.records)
    log, _ = logged(case)
    fitted = has_module(case.original().fitted)
    for step, batch in enumerate(log.batches):
        module = torch.nn.Sequential(torch.nn.Linear(4, 3))
        before = torch.from_numpy((log.start + log.updates(np.arange(step))).astype(np.float32))
        torch.nn.utils.vector_to_parameters(before, module.parameters())
        expected = -0.1 * gradient(fitted.with_module(module), case.records, batch.tolist())
        np.testing.assert_allclose(log.updates(np.array([step])), expected, atol=1e-6)


def test_steps_are_found_by_the_records_of_their_batches() -> None:
    log, module = TrainingLog(), torch.nn.Linear(2, 2)
    for batch in ([], [1, 2], [3], [2, 4]):
        log(np.array(batch, dtype=np.int64), module)
    assert log.steps_with(np.array([2])).tolist() == [0, 2]
    assert log.steps_with(np.array([3, 4, 9])).tolist() == [1, 2]
    assert log.steps_with(np.array([], dtype=np.int64)).tolist() == []
    assert log.updates(np.array([], dtype=np.int64)).tolist() == [0.0] * 6


def test_a_log_is_a_copy() -> None:
    module = torch.nn.Linear(2, 2)
    before = flat(module)
    with torch.no_grad():
        module.weight.add_(1)
    assert not np.array_equal(flat(module), before)


def test_a_log_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unlearnbench.engine.networks.training_log._MOST_NUMBERS", 1000)
    with pytest.raises(UserError, match="use a smaller network, fewer epochs or larger batches"):
        logged(NETWORK)


def test_private_training_keeps_no_log() -> None:
    task = FitTask(
        TrainingSet.of(NETWORK.records, range(60)),
        Seeds(1, 2, 3),
        options=TrainingOptions(dp=DPSGD(1.0, 1.0, 1e-5)),
        log=TrainingLog(),
    )
    with pytest.raises(UserError, match="private training keeps no log"):
        MLP(hidden=(4,)).fit(task, "cpu")
