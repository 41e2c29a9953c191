from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import LINEAR, NETWORK, known, weights
from unlearnbench.builtin.models.mlp.fitted import FittedMLP, module_of
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.unlearners.edits.ssd import SSD, AdaptiveSSD, LossFreeSSD, dampen, percentile
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Provenance, Records, TrainingSet
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients.importance import mean_squared_gradient
from unlearnbench.engine.gradients.unlearner import has_module
from unlearnbench.engine.scaling import Standardizer
from unlearnbench.engine.unlearners import Deletion

CASE = known("ssd")


def unlearned(method: SSD, order: Sequence[int] = range(8)) -> FittedMLP:
    """Return the known case's network after records 0, 3 and 5 of eight are forgotten."""
    k = np.arange(8)
    x = np.stack([np.sin(1.7 * k), np.cos(0.9 * k)], axis=1)
    records = Records("known", x, k % 3, 3, Provenance("made up", "public domain"))
    weight = np.array([[0.5, -0.3], [0.2, 0.8], [-0.6, 0.1]], dtype=np.float32)
    layers = [(weight, np.array([0.1, -0.2, 0.05], dtype=np.float32))]
    fitted = FittedMLP(module_of(layers), Standardizer(np.zeros(2), np.ones(2)), "cpu", 0.0)
    original = Original(MLP(hidden=()), TrainingSet.of(records, order), SeedPath(0))
    original._trainer.remember(original.job, fitted)
    retain, forget = TrainingSet.of(records, [1, 2, 4, 6, 7]), TrainingSet.of(records, [0, 3, 5])
    after = method.unlearn(Deletion(fitted, retain, forget, original, SeedPath(1), method.precompute(original)))
    assert isinstance(after, FittedMLP)
    return after


def parts(fitted: FittedMLP) -> list[Any]:
    return [each.detach().numpy() for each in fitted.module.parameters()]


@pytest.mark.parametrize(("name", "values"), [("alpha1_lambda1", (1.0, 1.0)), ("alpha1.2_lambda.5", (1.2, 0.5))])
def test_by_record_it_is_the_known_network(name: str, values: tuple[float, float]) -> None:
    weight, bias = parts(unlearned(SSD(*values)))
    np.testing.assert_allclose(weight, CASE[f"per_record_{name}"]["weight"], rtol=1e-5)
    np.testing.assert_allclose(bias, CASE[f"per_record_{name}"]["bias"], rtol=1e-5)


def test_by_record_the_order_does_not_matter() -> None:
    plain, shuffled = (parts(unlearned(SSD(1.0), order)) for order in (range(8), [5, 3, 0, 7, 1, 2, 6, 4]))
    for one, other in zip(plain, shuffled, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_by_batch_the_order_does_matter() -> None:
    """So the paper's code, with batches, is a parameter, and not the default."""
    one, other = (parts(unlearned(SSD(1.0, batch_size=4), order))[0] for order in (range(8), [5, 3, 0, 7, 1, 2, 6, 4]))
    assert np.abs(one - other).max() > 1e-3


def test_by_record_the_squares_are_those_of_one_record_after_the_other() -> None:
    original = NETWORK.original()
    fitted = has_module(original.fitted)
    sums = [torch.zeros_like(each) for each in fitted.module.parameters()]
    for x, y in zip(fitted.inputs(original.data.x), original.data.y, strict=True):
        loss = torch.nn.functional.cross_entropy(fitted.module(x[None]), torch.tensor([y]))
        for total, slope in zip(sums, torch.autograd.grad(loss, list(fitted.module.parameters())), strict=True):
            total += slope.square() / 60
    for found, expected in zip(mean_squared_gradient(fitted, original.data), sums, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(("selection", "dampening"), [(2.0, 1.0), (10.0, 0.5), (1.0, 1.0)])
def test_what_is_chosen_shrinks_below_the_bound_and_all_else_stays(selection: float, dampening: float) -> None:
    (after,) = NETWORK.unlearn(SSD(selection, dampening), range(2))
    before = weights(NETWORK.original().fitted)
    factor = weights(after) / before
    changed = weights(after) != before
    assert 0 < changed.sum() < len(before)
    assert (factor[changed] < dampening / selection).all()


def test_dead_weights_stay_and_those_of_the_forget_set_alone_go() -> None:
    module = torch.nn.Linear(3, 1, bias=False)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[2.0, 3.0, 4.0]]))
    dampen(module, [torch.tensor([[0.0, 1.0, 1.0]])], [torch.tensor([[0.0, 0.0, 0.05]])], 10.0, 1.0)
    torch.testing.assert_close(module.weight.detach(), torch.tensor([[2.0, 0.0, 0.2]]))


@pytest.mark.parametrize("case", known("assd_percentile"), ids=lambda case: f"{case['forget']} of {case['all']}")
def test_the_percentile_is_the_known_one(case: dict[str, float]) -> None:
    assert percentile(int(case["forget"]), int(case["all"])) == pytest.approx(case["percentile"])


def test_the_adaptive_threshold_lets_through_the_share_above_the_percentile() -> None:
    (after,) = NETWORK.unlearn(AdaptiveSSD(), range(6))
    changed = (weights(after) != weights(NETWORK.original().fitted)).mean()
    assert changed == pytest.approx(1 - percentile(6, 60) / 100, abs=2 / len(weights(after)))


def test_where_no_ratio_is_finite_the_threshold_chooses_nothing() -> None:
    (deletion,) = NETWORK.deletions(AdaptiveSSD(), [[1]])
    assert AdaptiveSSD().threshold([torch.ones(2)], [torch.zeros(2)], deletion) == float("inf")


def test_without_labels_a_weight_matters_by_the_gradient_of_the_squared_logits() -> None:
    """Of softmax regression d |z|^2 / d w_cj = 2 z_c x_j."""
    original = LINEAR.original()
    fitted = has_module(original.fitted)
    x = fitted.inputs(original.data.x)
    z = fitted.module(x).detach()
    weight, bias = LossFreeSSD().importance(fitted, original.data)
    torch.testing.assert_close(weight, (2 * z.unsqueeze(2) * x.unsqueeze(1)).abs().mean(dim=0))
    torch.testing.assert_close(bias, (2 * z).abs().mean(dim=0))
