"""Edits between passes, pairs of batches, classes of the retain set, factors of gradients, several optimizers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
import torch

import unlearnbench.engine.gradients.train as train_module
from tests.engine.gradients.case import LINEAR, Case, weights
from tests.engine.gradients.case import NETWORK as UNVALIDATED
from tests.engine.gradients.test_train import SGD, Method, away
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Step
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term, cosine
from unlearnbench.engine.gradients.train import _together
from unlearnbench.engine.networks.torch_model import TorchModel
from unlearnbench.engine.unlearners import Deletion

NETWORK = replace(UNVALIDATED, validation=20)


class Factors(Method):
    """Moves some numbers not at all, some slowly."""

    def mask(self, module: torch.nn.Module, deletion: Deletion) -> Sequence[torch.Tensor]:
        return [(each.detach().sign() + 1) / 4 for each in module.parameters()]


def contrast(batch: Batch) -> torch.Tensor:
    """Mixes the records of each network, with those beside them."""
    similar = batch.by_network(batch.logits) @ batch.by_network(batch.beside.logits).mT
    return similar.log_softmax(dim=2).mean(dim=2).flatten()


def weighted(batch: Batch) -> torch.Tensor:
    weights = batch.retained.gather(1, batch.labels.unsqueeze(1)).squeeze(1).float().reciprocal()
    return weights / batch.mean(weights) * batch.cross_entropy(batch.labels)


def late(module: torch.nn.Module, deletion: Deletion) -> None:
    """Freeze the first layer, and change the last one by an amount of the version's own."""
    first, *_, last = module.parameters()
    first.requires_grad_(False)
    last.data += deletion.seeds.rng().random()


METHODS = {
    "factors": Factors(Stage(SGD, [Pass([Term("retain", batch_size=7)])])),
    "pairs": Method(Stage(SGD, [Pass([Term("forget", contrast, batch_size=2, beside="retain")])])),
    "classes": Method(Stage(SGD, [Pass([Term("retain", weighted, batch_size=7)])])),
    "rates": Method(Stage(SGD, [Pass([Term("retain", batch_size=7)], rate=lambda done: 1 - done, part=0.5)])),
    "optimizers": Method(
        Stage(SGD, [Pass([Term("retain", batch_size=7)]), Pass([Term("forget")], optimizer=Optimizer(0.01))] * 2)
    ),
    "validation": Method(Stage(SGD, [Pass([Term("validation", away, batch_size=7), Term("forget")])])),
}
FORGET = [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10], [], [0, 59, 30]]
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


@every_method
def test_a_stack_agrees_with_one_network_after_the_other(method: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    stacked = NETWORK.unlearn(method, *FORGET)
    monkeypatch.setattr(train_module, "stackable", lambda job: False)
    one_by_one = NETWORK.unlearn(method, *FORGET)
    for mine, its in zip(stacked, one_by_one, strict=True):
        np.testing.assert_allclose(weights(mine), weights(its), atol=1e-5)


@every_method
def test_a_network_is_the_same_to_the_bit_alone_and_among_others(method: Method) -> None:
    deletions = NETWORK.deletions(method, FORGET)
    for deletion, mine in zip(deletions, method.unlearn_all(deletions), strict=True):
        assert np.array_equal(weights(method.unlearn(deletion)), weights(mine))


def test_a_mask_multiplies_the_gradient() -> None:
    plain = Method(Stage(Optimizer(0.1), [Pass([Term("retain", batch_size=100)])]))
    start = weights(NETWORK.original().fitted)
    (slow,), (whole,) = NETWORK.unlearn(Factors(*plain.own_stages), [1]), NETWORK.unlearn(plain, [1])
    factors = (np.sign(start) + 1) / 4
    np.testing.assert_allclose(weights(slow) - start, factors * (weights(whole) - start), atol=1e-7)


def test_gradients_are_multiplied_only_where_a_mask_has_other_factors_than_0_and_1() -> None:
    """What has 0 is put back after each step, so that its gradient does not matter."""
    stage = Stage(SGD, [Pass([Term("retain", batch_size=7)])])
    methods = (Method(stage), Method(stage, masked=True), Factors(stage))
    stacks = [next(_together(each._jobs(NETWORK.deletions(each, [[1]])))) for each in methods]
    assert [stack.moving is None for stack in stacks] == [True, False, False]
    assert [stack.factors is None for stack in stacks] == [True, True, False]


def test_a_rate_may_change_from_step_to_step() -> None:
    shares: list[float] = []

    def falling(done: float) -> float:
        shares.append(done)
        return 0.0 if done else 1.0

    passes = [Pass([Term("retain", batch_size=16)], rate=falling)]
    first = [Pass([Term("retain", batch_size=16)], part=0.25)]
    one, other = (NETWORK.unlearn(Method(Stage(Optimizer(0.1), own)), [1])[0] for own in (passes, first))
    assert shares == [0, 0.25, 0.5, 0.75]
    assert np.array_equal(weights(one), weights(other))


def test_a_cosine_falls_from_one_to_the_least() -> None:
    assert [cosine(t) for t in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0])
    assert [cosine(t, 0.2) for t in (0, 0.5, 1)] == pytest.approx([1, 0.6, 0.2])


def test_an_optimizer_of_its_own_keeps_its_moments_through_a_stage() -> None:
    """With momentum .9, a second step of the same gradient is 1.9 times the first, whoever steps in between."""
    still = Pass([Term("retain", batch_size=100)], rate=0.0)
    step = Pass([Term("forget", lambda batch: batch.logits[:, 0])], optimizer=Optimizer(0.01, momentum=0.9))
    start = weights(LINEAR.original().fitted)
    once, twice, anew = (
        weights(LINEAR.unlearn(Method(*stages), [1])[0]) - start
        for stages in (
            [Stage(Optimizer(0.1), [step])],
            [Stage(Optimizer(0.1, momentum=0.9), [step, still, step])],
            [Stage(Optimizer(0.1), [step]), Stage(Optimizer(0.1), [step])],
        )
    )
    np.testing.assert_allclose(twice, 2.9 * once, atol=1e-6)
    np.testing.assert_allclose(anew, 2 * once, atol=1e-6)


def test_a_pass_is_edited_before_it_begins_and_what_is_frozen_then_stays() -> None:
    still = Method(Stage(Optimizer(0.0), [Pass([Term("retain")]), Pass([Term("retain")], edit=late)]))
    start, deletions = weights(NETWORK.original().fitted), NETWORK.deletions(still, [[1], [2]])
    for deletion in deletions:
        moved = weights(still.unlearn(deletion)) - start
        np.testing.assert_allclose(moved[-3:], deletion.seeds.rng().random(), atol=1e-6)
        assert not moved[:-3].any()
    first = Method(Stage(SGD, [Pass([Term("retain")])]))
    second = Method(Stage(SGD, [Pass([Term("retain")]), Pass([Term("retain")], edit=late)]))
    (once,), (edited,) = NETWORK.unlearn(first, [1]), NETWORK.unlearn(second, [1])
    assert np.array_equal(weights(once)[:32], weights(edited)[:32])
    assert not np.array_equal(weights(once)[32:-3], weights(edited)[32:-3])


def test_what_is_masked_stays_as_the_edit_before_left_it() -> None:
    class Both(Method):
        def mask(self, module: torch.nn.Module, deletion: Deletion) -> Sequence[torch.Tensor]:
            return [torch.zeros_like(each) for each in module.parameters()]

    (after,) = NETWORK.unlearn(Both(Stage(SGD, [Pass([Term("retain")], edit=late)])), [1])
    assert (weights(after) - weights(NETWORK.original().fitted)).any()


def test_the_records_beside_have_no_gradient() -> None:
    seen: list[bool] = []

    def pair(batch: Batch) -> torch.Tensor:
        seen.extend([batch.logits.requires_grad, batch.beside.logits.requires_grad])
        return batch.cross_entropy(batch.labels)

    NETWORK.unlearn(Method(Stage(SGD, [Pass([Term("forget", pair, beside="retain")])])), [1])
    assert seen == [True, False]


def test_where_nothing_stands_beside_there_is_no_step() -> None:
    method = Method(Stage(SGD, [Pass([Term("forget", contrast, beside="validation")])]))
    (deletion,) = UNVALIDATED.deletions(method, [[1]])
    assert method.unlearn(deletion) is deletion.fitted


class Norm(TorchModel):
    """A linear layer behind batch normalization."""

    def network(self, shape: tuple[int, ...], n_classes: int) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.BatchNorm1d(shape[0]), torch.nn.Linear(shape[0], n_classes))


@pytest.mark.parametrize("terms", [[Term("forget", contrast, beside="retain")], [Term("forget"), Term("retain")]])
def test_one_record_beside_many_is_normalized_by_the_running_statistics(terms: list[Term]) -> None:
    """Those that the many move are not those that the one's gradient needs."""
    (after,) = Case(Norm(), NETWORK.records).unlearn(Method(Stage(SGD, [Pass(terms)])), [1])
    assert np.isfinite(weights(after)).all()


class Chooses(Method):
    """Edits a network, and masks numbers by a draw of the version's own."""

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        late(module, deletion)
        next(module.parameters()).requires_grad_(True)

    def mask(self, module: torch.nn.Module, deletion: Deletion) -> Sequence[torch.Tensor]:
        return [each > deletion.seeds.rng().random() / 9 for each in module.parameters()]


class Together(Chooses):
    """Does so for several deletions at once, and keeps how many."""

    def __init__(self, *stages: Stage) -> None:
        super().__init__(*stages)
        self.groups: list[int] = []

    def mask_all(
        self, modules: Sequence[torch.nn.Module], deletions: Sequence[Deletion]
    ) -> Sequence[Sequence[torch.Tensor]]:
        assert len({id(each.fitted) for each in deletions}) == 1
        self.groups.append(len(modules))
        return [self.mask(module, own) for module, own in zip(modules, deletions, strict=True)]


@pytest.mark.parametrize("stages", [[], [Stage(SGD, [Pass([Term("retain", batch_size=7)])])]], ids=["edit", "train"])
def test_networks_are_masked_together_as_they_are_one_by_one(stages: list[Stage]) -> None:
    together, requests = Together(*stages), [Request((Step(np.array([k])), Step(np.array([k + 9])))) for k in range(3)]
    served, wanted = (
        method.serve_all(method.prepare(NETWORK.original()), requests, SeedPath(1))
        for method in (together, Chooses(*stages))
    )
    assert together.groups == [3, 1, 1, 1]  # later steps unlearn from networks of their own
    for mine, its in zip(chain(*served), chain(*wanted), strict=True):
        assert np.array_equal(weights(mine.fitted), weights(its.fitted))


def test_an_edit_that_overflows_is_told_though_nothing_is_trained() -> None:
    class Explodes(Method):
        def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
            next(module.parameters()).data *= torch.inf

    with pytest.raises(UserError, match="overflowed: lower learning_rate"):
        NETWORK.unlearn(Explodes(), [1])
