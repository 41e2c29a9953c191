"""Networks are trained by passes over records, the same alone and among others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import unlearnbench.engine.gradients.stack as stack_module
import unlearnbench.engine.gradients.train as train_module
from tests.engine.gradients.case import LINEAR, NETWORK, Case, gradient, made_up, weights
from unlearnbench.builtin.models.mlp.fitted import FittedMLP
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.models.simple_cnn.model import SimpleCNN
from unlearnbench.core.errors import UserError
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Provenance, Records, Step
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.passes import Loss, Optimizer, Pass, Stage, Term, cosine, cross_entropy
from unlearnbench.engine.gradients.perceptron import is_perceptron
from unlearnbench.engine.gradients.stack import Stack, compilable, stackable
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, has_module
from unlearnbench.engine.jit import usable
from unlearnbench.engine.networks.modules import trains_as_it_answers
from unlearnbench.engine.unlearners import Deletion


class Method(GradientUnlearner):
    """Any stages, and a mask if asked for."""

    def __init__(self, *stages: Stage, masked: bool = False) -> None:
        self.own_stages, self.masked = stages, masked

    def stages(self, original: Original) -> Sequence[Stage]:
        return self.own_stages

    def mask(self, module: torch.nn.Module, deletion: Deletion) -> Sequence[torch.Tensor] | None:
        return [each > 0 for each in module.parameters()] if self.masked else None


class Answering(Method):
    mode: ClassVar[Literal["train", "eval"]] = "eval"


def away(batch: Batch) -> torch.Tensor:
    return -batch.divergence(batch.original, 2.0)


def by_entropy(batch: Batch) -> torch.Tensor:
    log_p = batch.logits.log_softmax(dim=1)
    return (log_p.exp() * log_p).sum(dim=1) + batch.mean(batch.logits[:, 0].tanh())


def drawn(batch: Batch) -> torch.Tensor:
    labels = (batch.draws() * batch.n_classes).long()
    return batch.cross_entropy(labels.where(batch.forgotten, batch.labels))


def perturbed(batch: Batch) -> torch.Tensor:
    return (batch.logits - batch.answer(batch.inputs + 0.1 * batch.noise())).square().sum(dim=1)


SGD = Optimizer(0.05, momentum=0.9, weight_decay=0.01)
METHODS = {
    "retain": Method(Stage(SGD, [Pass([Term("retain", batch_size=7)])])),
    "adam": Method(Stage(Optimizer(0.002, "adam"), [Pass([Term("both", batch_size=9)])])),
    "adamw": Method(Stage(Optimizer(0.002, "adamw", weight_decay=0.1), [Pass([Term("retain")])])),
    "side by side": Method(
        Stage(SGD, [Pass([Term("retain", batch_size=7), Term("forget", weight=-0.1, batch_size=2)])])
    ),
    "penalty": Method(Stage(SGD, [Pass([Term("retain")], penalty=lambda w, start: 0.1 * w.sign() + w - start)])),
    "masked": Method(Stage(SGD, [Pass([Term("retain", batch_size=7)])]), masked=True),
    "teacher": Method(Stage(SGD, [Pass([Term("forget", away)]), Pass([Term("retain", share=0.5)], rate=0.1)])),
    "draws": Method(Stage(SGD, [Pass([Term("both", drawn, batch_size=7)])])),
    "perturbed": Method(Stage(SGD, [Pass([Term("both", perturbed, batch_size=7)])])),
    "cycles": Method(
        Stage(SGD, [Pass([Term("retain", batch_size=16), Term("forget", weight=-0.1, every=3)], cosine, cycles=2)])
    ),
    "ruled": Method(Stage(SGD, [Pass([Term("retain", batch_size=7)], step=lambda gradients: [gradients.of(0)])])),
}
FORGET = [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10], [], [0, 59, 30]]
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


@pytest.fixture(params=["compiled", "torch"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Serve stacks by the compiled passes, or as on a GPU by products of torch."""
    if request.param == "torch":
        monkeypatch.setattr(stack_module, "compilable", lambda module: False)


@every_method
@pytest.mark.usefixtures("either")
def test_a_stack_agrees_with_one_network_after_the_other(method: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    stacked = NETWORK.unlearn(method, *FORGET)
    monkeypatch.setattr(train_module, "stackable", lambda job: False)
    one_by_one = NETWORK.unlearn(method, *FORGET)
    for mine, its in zip(stacked, one_by_one, strict=True):
        np.testing.assert_allclose(weights(mine), weights(its), atol=1e-5)


@every_method
@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("others", [1, 15, 40])
def test_a_network_is_the_same_to_the_bit_alone_and_among_others(method: Method, others: int) -> None:
    deletions = NETWORK.deletions(
        method, [[1 + k % 50, 3, 2] if k % 50 not in (1, 2) else [50, 3, 2] for k in range(others + 1)]
    )
    together = method.unlearn_all(deletions)
    for k in (0, others // 2, others):
        assert np.array_equal(weights(method.unlearn(deletions[k])), weights(together[k]))


@every_method
def test_later_steps_of_requests_are_the_same_to_the_bit_alone_and_together(method: Method) -> None:
    """There each network has a teacher of its own, the network before."""
    requests = [Request(tuple(Step(np.array([r, v + 50])) for v in (0, 3))) for r in range(4)]
    state = method.prepare(NETWORK.original())
    together = method.serve_all(state, requests, SeedPath(2))
    for r, request in enumerate(requests):
        alone = state
        for v, step in enumerate(request.steps, start=1):
            alone = method.serve(alone, step, SeedPath(2) / r / v)
            assert np.array_equal(weights(alone.fitted), weights(together[r][v - 1].fitted))


def test_under_dropout_networks_are_trained_one_by_one() -> None:
    """A stack would leave the dropout out."""
    fitted = has_module(NETWORK.original().fitted)
    assert trains_as_it_answers(fitted)
    assert is_perceptron(fitted.module)
    dropped = FittedMLP(fitted.module, fitted.standardizer, "cpu", dropout=0.5)  # type: ignore[attr-defined]  # an mlp
    job = METHODS["retain"]._jobs([NETWORK.deletions(METHODS["retain"], [[1]])[0]])[0]
    assert stackable(job)
    assert not stackable(replace(job, fitted=dropped))
    assert stackable(replace(job, fitted=dropped, training=False))


@pytest.mark.parametrize(
    "module",
    [
        torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False)),
        torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh(), torch.nn.Linear(2, 2)),
        torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)),
        torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU()),
        torch.nn.Sequential(),
        torch.nn.Linear(2, 2),
    ],
    ids=str,
)
def test_what_is_not_linear_layers_with_relu_in_turns_is_no_perceptron(module: torch.nn.Module) -> None:
    assert not is_perceptron(module)


def test_one_step_is_the_gradient_of_the_mean() -> None:
    method = Method(Stage(Optimizer(0.5), [Pass([Term("retain", batch_size=100), Term("forget", weight=-0.25)])]))
    (after,) = LINEAR.unlearn(method, [2, 3])
    before = LINEAR.original().fitted
    down = gradient(before, LINEAR.records, [i for i in range(60) if i not in (2, 3)])
    up = gradient(before, LINEAR.records, [2, 3])
    np.testing.assert_allclose(weights(after) - weights(before), -0.5 * (down - 0.25 * up), atol=1e-6)


def test_masked_numbers_stay_to_the_bit_under_momentum_and_weight_decay() -> None:
    start = weights(NETWORK.original().fitted)
    (after,) = NETWORK.unlearn(METHODS["masked"], [1, 2])
    assert np.array_equal(weights(after)[start <= 0], start[start <= 0])
    assert not np.array_equal(weights(after), start)


def test_the_learning_rate_of_a_pass_is_its_share_of_the_optimizers() -> None:
    half = Method(Stage(Optimizer(0.2), [Pass([Term("retain")], rate=0.5)]))
    whole = Method(Stage(Optimizer(0.1), [Pass([Term("retain")])]))
    first, second = (weights(NETWORK.unlearn(method, [1])[0]) for method in (half, whole))
    assert np.array_equal(first, second)


def test_the_compiled_passes_serve_stacks_on_a_cpu() -> None:
    assert compilable(has_module(NETWORK.original().fitted).module) == usable()
    assert not compilable(torch.nn.Linear(2, 2, device="meta"))


@pytest.mark.usefixtures("either")
def test_a_loss_may_ask_for_the_slope_by_its_inputs() -> None:
    slopes: list[torch.Tensor] = []

    def steep(batch: Batch) -> torch.Tensor:
        x = batch.inputs.clone().requires_grad_()
        slopes.append(torch.autograd.grad(batch.answer(x).sum(), x)[0])
        return batch.cross_entropy(batch.labels)

    (after,) = NETWORK.unlearn(Method(Stage(SGD, [Pass([Term("forget", steep)])])), [1])
    fitted = has_module(NETWORK.original().fitted)
    x = fitted.inputs(NETWORK.records.x[[1]]).requires_grad_()
    (wanted,) = torch.autograd.grad(fitted.module(x).sum(), x)
    torch.testing.assert_close(slopes[0][:1], wanted, atol=1e-5, rtol=1e-4)
    (plain,) = NETWORK.unlearn(Method(Stage(SGD, [Pass([Term("forget")])])), [1])
    np.testing.assert_allclose(weights(after), weights(plain), atol=1e-6)


@pytest.mark.usefixtures("either")
def test_answers_that_a_loss_asks_for_as_a_target_have_no_gradient() -> None:
    def still(batch: Batch) -> torch.Tensor:
        with torch.no_grad():
            target = batch.answer(batch.inputs)
        return batch.cross_entropy(batch.labels) + (target - target).sum(dim=1)

    after, plain = (
        weights(NETWORK.unlearn(Method(Stage(SGD, [Pass([Term("forget", loss)])])), [1])[0])
        for loss in (still, cross_entropy)
    )
    assert np.array_equal(after, plain)


def test_what_overflows_is_told_in_a_line() -> None:
    method = Method(Stage(Optimizer(1e30), [Pass([Term("retain")])] * 5))
    with pytest.raises(UserError, match="overflowed: lower learning_rate"):
        NETWORK.unlearn(method, [1])


def test_snapshots_are_the_networks_before_their_passes() -> None:
    seen: list[int] = []

    class Rewinds(Method):
        def finish(
            self, module: torch.nn.Module, snapshots: Sequence[torch.nn.Module], deletion: Deletion
        ) -> torch.nn.Module:
            seen.append(len(snapshots))
            return snapshots[1]

    passes = [Pass([Term("retain")], snapshot=True) for _ in range(3)]
    rewound = NETWORK.unlearn(Rewinds(Stage(SGD, passes)), [1], [2])
    shorter = NETWORK.unlearn(Method(Stage(SGD, passes[:1])), [1], [2])
    assert seen == [3, 3]
    for mine, its in zip(rewound, shorter, strict=True):
        assert np.array_equal(weights(mine), weights(its))


def test_what_moves_nothing_returns_the_model_itself() -> None:
    method = Method(Stage(Optimizer(0.0), [Pass([Term("retain")])]))
    (deletion,) = NETWORK.deletions(method, [[1]])
    assert method.unlearn(deletion) is deletion.fitted


def images(n: int = 60) -> Records:
    rng = np.random.default_rng(0)
    return Records("images", rng.normal(size=(n, 8, 8)), np.arange(n) % 3, 3, Provenance("made up", "public domain"))


@pytest.mark.parametrize(("kind", "differs"), [(Method, True), (Answering, False)])
def test_dropout_is_that_of_training_only_in_training_mode(kind: type[Method], differs: bool) -> None:
    """In evaluation mode, one step on all records does not depend on the seed, by which dropout draws."""
    case = Case(SimpleCNN(epochs=1), images())
    method = kind(Stage(Optimizer(0.1), [Pass([Term("forget")])]))
    one, other = case.deletions(method, [[1, 2], [1, 2]])
    moved = [weights(method.unlearn(each)) for each in (one, other)]
    assert (np.abs(moved[0] - moved[1]).max() > 1e-5) == differs


@settings(max_examples=30)
@given(sizes=st.lists(st.integers(1, 20), min_size=1, max_size=6))
def test_requests_of_any_sizes_are_served_together(sizes: list[int]) -> None:
    method = METHODS["draws"]
    deletions = NETWORK.deletions(method, [range(size) for size in sizes])
    together = method.unlearn_all(deletions)
    for deletion, mine in zip(deletions, together, strict=True):
        assert np.array_equal(weights(mine), weights(method.unlearn(deletion)))


def test_a_frozen_parameter_stays() -> None:
    class LastOnly(Method):
        def edit(self, module: Any, deletion: Deletion) -> None:
            module[0].requires_grad_(False)

    (after,) = NETWORK.unlearn(LastOnly(Stage(SGD, [Pass([Term("retain")])])), [1])
    start = weights(NETWORK.original().fitted)
    first = 4 * 8 + 8
    assert np.array_equal(weights(after)[:first], start[:first])
    assert not np.array_equal(weights(after)[first:], start[first:])


needs_compiler = pytest.mark.skipif(not usable(), reason="needs numba")
LARGE = Case(MLP(hidden=(8, 5), epochs=3), made_up(200), size=193)
"""So many records that batches of 64 are whole."""


def stack_of(networks: int) -> Stack:
    (job,) = Method()._jobs(NETWORK.deletions(Method(), [[1]]))
    return Stack([job] * networks)


@needs_compiler
def test_a_batch_of_64_records_needs_no_copies() -> None:
    stack = stack_of(5)
    assert [stack.filled([records]) for records in (64, 128, 32, 48, 3)] == [5, 5, 6, 8, 16]
    assert stack.filled([64, 1]) == stack.filled([1, 0]) == 16


@needs_compiler
@given(networks=st.integers(1, 40), records=st.lists(st.integers(1, 200), min_size=1, max_size=3))
def test_losses_fill_whole_vectors_with_no_more_copies_than_needed(networks: int, records: list[int]) -> None:
    """They are those of a multiple of 16 networks, or of one of 64 records, also beside a batch."""

    def fills(count: int) -> bool:
        return count % 16 == 0 or all(count * each % 64 == 0 for each in records)

    filled = stack_of(networks).filled(records)
    assert filled == next(count for count in range(networks, 100) if fills(count))


@needs_compiler
@pytest.mark.parametrize("loss", [cross_entropy, away, drawn, by_entropy], ids=lambda loss: loss.__name__)
@pytest.mark.parametrize("batch_size", [64, 32, 16])
def test_a_network_is_the_same_to_the_bit_however_many_copies_fill_its_stack(
    loss: Loss, batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = Method(Stage(SGD, [Pass([Term("retain", loss, batch_size=batch_size), Term("forget", loss, -0.1)])]))
    deletions = LARGE.deletions(method, [[1], [2], [3], [4], [5]])
    few = [weights(each) for each in method.unlearn_all(deletions)]
    alone = [weights(method.unlearn(each)) for each in deletions]
    monkeypatch.setattr(stack_module, "_RECORDS", 2**30)  # so that there are always 16 networks
    for mine, own, its in zip(few, alone, method.unlearn_all(deletions), strict=True):
        assert np.array_equal(mine, own)
        assert np.array_equal(mine, weights(its))


def test_gradients_of_the_step_before_are_gone() -> None:
    """Two steps on the same records move as far as the same gradients taken by hand."""
    still = Method(Stage(Optimizer(0.1), [Pass([Term("retain", batch_size=100)], rate=0.0)] * 2))
    moves = Method(
        Stage(
            Optimizer(0.1), [Pass([Term("retain", batch_size=100)], rate=0.0), Pass([Term("retain", batch_size=100)])]
        )
    )
    once = Method(Stage(Optimizer(0.1), [Pass([Term("retain", batch_size=100)])]))
    (deletion,) = NETWORK.deletions(still, [[1]])
    assert still.unlearn(deletion) is deletion.fitted
    np.testing.assert_allclose(weights(moves.unlearn(deletion)), weights(once.unlearn(deletion)), atol=1e-7)
