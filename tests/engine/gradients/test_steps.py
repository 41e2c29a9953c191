"""A pass may have a rule of its own for what a step moves along, and may measure the network before it begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import LINEAR, NETWORK, Case, gradient, weights
from tests.engine.gradients.test_train import Method, images
from unlearnbench.builtin.models.simple_cnn.model import SimpleCNN
from unlearnbench.core.models import Fitted
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.passes import Measure, Optimizer, Pass, Stage, StepRule, Term, cosine, cross_entropy
from unlearnbench.engine.gradients.stack import stackable
from unlearnbench.engine.gradients.steps import StepGradients
from unlearnbench.engine.unlearners import Deletion

FORGET = [2, 3]
RETAIN = [i for i in range(60) if i not in FORGET]
ALL, UP = Term("retain", batch_size=100), Term("forget", weight=-0.5)
Rows = Sequence[torch.Tensor]


def moved(rule: StepRule, *terms: Term, case: Case = LINEAR, rate: float = 0.5) -> np.ndarray:
    """Return how far one step on all records moves the weights, over the learning rate."""
    (after,) = case.unlearn(Method(Stage(Optimizer(rate), [Pass(terms or [ALL, UP], step=rule)])), FORGET)
    return (weights(after) - weights(case.original().fitted)) / rate


def at(ids: Sequence[int]) -> np.ndarray:
    return gradient(LINEAR.original().fitted, LINEAR.records, ids)


def test_a_rule_is_given_the_gradient_of_each_term_times_its_weight() -> None:
    np.testing.assert_allclose(moved(lambda gradients: [gradients.of(0)]), -at(RETAIN), atol=1e-6)
    np.testing.assert_allclose(moved(lambda gradients: [gradients.of(1)]), 0.5 * at(FORGET), atol=1e-6)


def test_gradients_of_single_records_are_those_of_batches_of_one() -> None:
    for k, i in enumerate(FORGET):

        def one(gradients: StepGradients, k: int = k) -> Iterator[Rows]:
            batch = gradients._batches[1][0].tolist()
            yield [rows[batch.index(FORGET[k])] for rows in gradients.by_record(1)]

        np.testing.assert_allclose(moved(one), 0.5 * at([i]), atol=1e-6)


@pytest.mark.parametrize("case", [NETWORK, Case(SimpleCNN(epochs=1), images())], ids=["mlp", "cnn"])
def test_gradients_of_single_records_have_the_mean_of_the_batch(case: Case) -> None:
    term = Term("forget")
    mean = moved(lambda gradients: [[rows.mean(dim=0) for rows in gradients.by_record(0)]], term, case=case)
    np.testing.assert_allclose(mean, moved(lambda gradients: [gradients.of(0)], term, case=case), atol=1e-5)


def test_each_gradient_that_a_rule_yields_is_a_step_and_the_next_is_taken_where_it_leads() -> None:
    def two(gradients: StepGradients) -> Iterator[Rows]:
        yield gradients.of(0)
        yield gradients.of(0)

    twice = Method(Stage(Optimizer(0.5), [Pass([ALL])] * 2))
    (after,) = LINEAR.unlearn(twice, FORGET)
    np.testing.assert_allclose(moved(two), (weights(after) - weights(LINEAR.original().fitted)) / 0.5, atol=1e-5)


def test_gradients_elsewhere_are_those_there_and_the_weights_come_back_to_the_bit() -> None:
    seen: list[list[torch.Tensor]] = []

    def elsewhere(gradients: StepGradients) -> Iterator[Rows]:
        seen.append([each.detach().clone() for each in gradients._networks.trainable])
        with gradients.moved([-0.3 * each for each in gradients.of(0)]):
            down = gradients.of(0)
        seen.append([each.detach().clone() for each in gradients._networks.trainable])
        yield down

    found = moved(elsewhere)
    (there,) = LINEAR.unlearn(Method(Stage(Optimizer(0.3), [Pass([ALL])])), FORGET)
    np.testing.assert_allclose(found, -gradient(there, LINEAR.records, RETAIN), atol=1e-6)
    assert all(map(torch.equal, *seen))


def test_weights_come_back_where_the_rule_fails() -> None:
    def fails(gradients: StepGradients) -> Iterator[Rows]:
        before = [each.detach().clone() for each in gradients._networks.trainable]
        with pytest.raises(ZeroDivisionError), gradients.moved(gradients.of(0)):
            _ = 1 / 0
        assert all(map(torch.equal, before, gradients._networks.trainable))
        yield gradients.of(0)

    moved(fails)


def test_a_mask_and_a_penalty_hold_for_what_a_rule_yields_too() -> None:
    start = weights(NETWORK.original().fitted)
    pass_ = Pass([ALL], step=lambda gradients: [gradients.of(0)], penalty=lambda weight, _: weight)
    (after,) = NETWORK.unlearn(Method(Stage(Optimizer(0.1), [pass_]), masked=True), FORGET)
    (plain,) = NETWORK.unlearn(Method(Stage(Optimizer(0.1), [Pass([ALL], penalty=pass_.penalty)]), masked=True), FORGET)
    assert np.array_equal(weights(after)[start <= 0], start[start <= 0])
    np.testing.assert_allclose(weights(after), weights(plain), atol=1e-6)


def test_the_rate_may_fall_with_the_share_of_the_steps_that_are_done() -> None:
    told: list[float] = []

    def falling(done: float) -> float:
        told.append(done)
        return 0.0

    method = Method(Stage(Optimizer(0.5), [Pass([Term("retain", batch_size=20)], falling, cycles=2)]))
    (deletion,) = LINEAR.deletions(method, [FORGET])
    assert method.unlearn(deletion) is deletion.fitted
    assert told == pytest.approx([0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6])
    assert [cosine(done) for done in (0, 1 / 3, 0.5, 1)] == pytest.approx([1, 0.75, 0.5, 0])


def measured(measure: Measure, passes: int = 3, loss: object = None) -> tuple[Fitted, Fitted]:
    """Return the network after so many passes that measure before they begin, and the original."""
    method = Method(Stage(Optimizer(0.5), [Pass([Term("retain", loss or cross_entropy)], measure=measure)] * passes))  # type: ignore[arg-type]  # a loss
    (deletion,) = LINEAR.deletions(method, [FORGET])
    return method.unlearn(deletion), deletion.fitted


def test_what_is_measured_is_of_the_network_before_each_pass() -> None:
    seen: list[np.ndarray] = []

    def look(network: Fitted, context: object) -> float:
        assert context is None
        seen.append(weights(network).copy())
        return 0.0

    after, before = measured(look)
    assert len(seen) == 3
    assert np.array_equal(seen[0], weights(before))
    assert len({each.tobytes() for each in [*seen, weights(after)]}) == 4


def test_a_loss_reads_what_was_measured() -> None:
    still, before = measured(lambda *_: 0.0, loss=lambda batch: batch.measured * cross_entropy(batch))
    once, _ = measured(lambda *_: 1.0, loss=lambda batch: batch.measured * cross_entropy(batch))
    plain, _ = measured(lambda *_: 7.0)
    assert still is before
    assert np.array_equal(weights(once), weights(plain))


def test_training_ends_where_nothing_is_measured() -> None:
    answers = iter([1.0, None, 1.0])
    stopped, _ = measured(lambda *_: next(answers))
    one, _ = measured(lambda *_: 1.0, passes=1)
    assert np.array_equal(weights(stopped), weights(one))
    assert next(answers) == 1.0  # the third pass was not begun


def test_a_loss_cannot_read_what_no_pass_measures() -> None:
    def reads(batch: Batch) -> torch.Tensor:
        return batch.measured * cross_entropy(batch)

    with pytest.raises(ValueError, match="the pass has no `measure`"):
        LINEAR.unlearn(Method(Stage(Optimizer(0.5), [Pass([Term("retain", reads)])])), FORGET)


def test_steps_and_measures_know_the_context_of_their_deletion() -> None:
    seen: list[object] = []

    class Knows(Method):
        def context(self, deletion: Deletion) -> object:
            return deletion.forget.ids.tolist()

    def rule(gradients: StepGradients) -> Iterator[Rows]:
        seen.append(gradients.context)
        yield gradients.of(0)

    def look(_: Fitted, context: object) -> float:
        seen.append(context)
        return 0.0

    LINEAR.unlearn(Knows(Stage(Optimizer(0.5), [Pass([ALL], step=rule, measure=look)])), [1], [2, 3])
    assert seen == [[1], [1], [2, 3], [2, 3]]


def test_networks_whose_steps_depend_on_themselves_are_trained_one_by_one() -> None:
    for pass_, expected in [
        (Pass([ALL]), True),
        (Pass([ALL], step=lambda gradients: [gradients.of(0)]), False),
        (Pass([ALL], measure=lambda *_: 0.0), False),
    ]:
        method = Method(Stage(Optimizer(0.1), [pass_]))
        assert stackable(method._jobs([NETWORK.deletions(method, [[1]])[0]])[0]) == expected
