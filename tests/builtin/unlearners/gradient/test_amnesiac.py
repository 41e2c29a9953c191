from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.engine.gradients.case import NETWORK, Case, weights
from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.unlearners.gradient.amnesiac import Amnesiac
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.core.records import Step
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.networks.training_log import TrainingLog

SERVE = SeedPath(1)


def log_of(case: Case) -> TrainingLog:
    log = TrainingLog()
    case.original().train_with(log)
    return log


def test_with_all_batches_taken_back_it_is_the_untrained_network() -> None:
    (after,) = NETWORK.unlearn(Amnesiac(), range(59))
    np.testing.assert_allclose(weights(after), log_of(NETWORK).start, rtol=1e-6, atol=1e-9)


def test_only_the_batches_that_held_the_record_are_taken_back() -> None:
    log = log_of(NETWORK)
    steps = log.steps_with(np.array([7]))
    assert len(steps) == 3  # one each epoch
    (after,) = NETWORK.unlearn(Amnesiac(), [7])
    expected = weights(NETWORK.original().fitted) - log.updates(steps)
    np.testing.assert_array_equal(weights(after), expected.astype(np.float32))


def test_where_no_batch_held_a_record_the_network_stays_to_the_bit() -> None:
    method = Amnesiac()
    state = method.prepare(NETWORK.original())
    added = method.serve(state, Step(np.array([], dtype=np.int64), np.array([70])), SERVE)
    gone = method.serve(added, Step(np.array([70])), SERVE)
    assert added.fitted is gone.fitted is state.fitted


def test_a_batch_is_taken_back_once_whether_its_records_go_together_or_one_after_the_other() -> None:
    method, forget = Amnesiac(), [7, 8, 9, 30]
    state = method.prepare(NETWORK.original())
    together = method.serve(state, Step(np.array(forget)), SERVE)
    for record in forget:
        state = method.serve(state, Step(np.array([record])), SERVE)
    np.testing.assert_allclose(weights(state.fitted), weights(together.fitted), rtol=1e-5, atol=1e-7)


def test_fine_tuning_follows() -> None:
    plain, tuned = (NETWORK.unlearn(Amnesiac(epochs=epochs), [7])[0] for epochs in (0, 2))
    method = Finetune(epochs=2, momentum=0.0, weight_decay=0.0)
    (deletion,) = NETWORK.deletions(method, [[7]])
    expected = method.unlearn(replace(deletion, fitted=plain))
    np.testing.assert_array_equal(weights(tuned), weights(expected))


def test_a_model_without_a_log_is_refused() -> None:
    class Silent(MLP):
        logs = False

    assert Amnesiac().refusal(MLP()) is None
    assert Amnesiac().refusal(Silent()) == "Silent keeps no training log"
    assert Amnesiac().refusal(DecisionTree()) == "needs a network, and DecisionTree is none"
