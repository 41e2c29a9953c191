"""Boundary shrink and boundary expand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import NETWORK, Case, weights
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.unlearners.gradient.boundary_expand import BoundaryExpand
from unlearnbench.builtin.unlearners.gradient.boundary_shrink import BoundaryShrink
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Provenance, Records
from unlearnbench.engine.gradients.jobs import Made
from unlearnbench.engine.gradients.train import train
from unlearnbench.engine.gradients.unlearner import has_module


def pixels(n: int = 90) -> Records:
    """Return made-up images of sixteen pixels of eight bits, of three classes."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    x = np.clip(rng.normal(128, 30, size=(n, 16)) + 40 * rng.normal(size=(3, 16))[y], 0, 255).round()
    return Records("pixels", x, y, 3, Provenance("made up", "public domain"), bounds=(0, 255))


PIXELS = Case(MLP(hidden=(8,), epochs=20, batch_size=16), pixels())
FORGET = range(12)


def made(epsilon: float) -> Made:
    method = BoundaryShrink(epsilon=epsilon)
    (deletion,) = PIXELS.deletions(method, [FORGET])
    found = method.made(deletion)
    assert found is not None
    return found


def sign_step(epsilon: float) -> np.ndarray:
    """Return the forget set one step uphill, by gradients of the pixels themselves."""
    fitted = has_module(PIXELS.original().fitted)
    x, y = PIXELS.records.x[FORGET] / 255, PIXELS.records.y[FORGET]
    inputs = fitted.inputs(PIXELS.records.x[FORGET]).requires_grad_()
    torch.nn.functional.cross_entropy(fitted.module(inputs), torch.tensor(y)).backward()  # type: ignore[no-untyped-call]  # torch has no type for it
    assert inputs.grad is not None
    changed: np.ndarray = np.clip(x + epsilon * np.sign(inputs.grad.numpy()), 0, 1)
    return np.round(255 * changed)


@pytest.mark.parametrize("epsilon", [0.02, 0.1, 0.3])
def test_the_classes_are_those_that_the_original_gives_to_changed_pixels(epsilon: float) -> None:
    fitted = PIXELS.original().fitted
    expected = fitted.log_posteriors(sign_step(epsilon)).argmax(axis=1)
    assert made(epsilon).labels.tolist() == expected.tolist()


def test_changed_pixels_cross_a_boundary_but_what_is_learned_are_the_records_themselves() -> None:
    fitted = has_module(PIXELS.original().fitted)
    found = made(0.3)
    assert (found.labels.numpy() != PIXELS.records.y[FORGET]).mean() > 0.8
    assert torch.equal(found.inputs, fitted.inputs(PIXELS.records.x[FORGET]))


def test_without_a_change_the_classes_are_those_that_the_original_gives() -> None:
    expected = PIXELS.original().fitted.log_posteriors(PIXELS.records.x[FORGET]).argmax(axis=1)
    assert made(0.0).labels.tolist() == expected.tolist()


def test_the_classes_are_the_originals_in_all_epochs() -> None:
    """Ten epochs are ten passes with the same labels, whatever the network has become."""
    method = BoundaryShrink(epsilon=0.3, learning_rate=0.5)
    (after,) = PIXELS.unlearn(method, FORGET)
    learned = after.log_posteriors(PIXELS.records.x[FORGET]).argmax(axis=1)
    assert (learned == made(0.3).labels.numpy()).mean() > 0.9
    (deletion,) = PIXELS.deletions(method, [FORGET])
    assert np.array_equal(weights(deletion.fitted), weights(PIXELS.original().fitted))


@pytest.mark.parametrize("method", [BoundaryShrink(), BoundaryExpand()], ids=str)
def test_with_nothing_to_forget_the_network_stays(method: BoundaryShrink | BoundaryExpand) -> None:
    (deletion,) = PIXELS.deletions(method, [[]])
    assert method.unlearn(deletion) is deletion.fitted


def test_data_without_bounds_are_refused_with_the_reason() -> None:
    unbounded = Case(NETWORK.model, replace(NETWORK.records, bounds=None))
    told = BoundaryShrink().refusal_of_records(unbounded.records)
    assert told == "needs a data set with `bounds`, within which features may be changed; made up has none"
    assert BoundaryShrink().refusal_of_records(NETWORK.records) is None
    assert BoundaryExpand().refusal_of_records(unbounded.records) is None
    with pytest.raises(UserError, match="needs a data set with `bounds`"):
        unbounded.unlearn(BoundaryShrink(), FORGET)


def test_expanding_ends_with_the_classes_of_the_data_set_which_may_have_moved() -> None:
    (after,) = PIXELS.unlearn(BoundaryExpand(learning_rate=0.05), FORGET)
    assert after.log_posteriors(PIXELS.records.x).shape == (90, 3)
    assert not np.array_equal(weights(after), weights(PIXELS.original().fitted))


def test_expanding_without_a_step_leaves_the_network_to_the_bit() -> None:
    (deletion,) = PIXELS.deletions(BoundaryExpand(), [FORGET])
    assert BoundaryExpand(learning_rate=0.0).unlearn(deletion) is deletion.fitted


def test_the_class_of_its_own_is_learned_for_the_forget_set() -> None:
    class Kept(BoundaryExpand):
        """As the port that does not drop the class."""

        def finish(self, module: torch.nn.Module, *_: object) -> torch.nn.Module:
            return module

    method = Kept(learning_rate=0.1, epochs=30)
    (deletion,) = PIXELS.deletions(method, [[i for i in range(60) if PIXELS.records.y[i] == 1]])
    wide = method._jobs([deletion])[0]
    (module,) = train([wide])
    logits = module(wide.fitted.inputs(deletion.forget.x))
    assert logits.shape == (20, 4)
    assert (logits.argmax(dim=1) == 3).float().mean() > 0.8


def test_requests_draw_classes_of_their_own() -> None:
    method = BoundaryExpand(learning_rate=0.05)
    one, other = PIXELS.unlearn(method, [1, 2], [1, 2])
    assert not np.array_equal(weights(one), weights(other))
