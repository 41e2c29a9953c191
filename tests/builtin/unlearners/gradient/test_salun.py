from __future__ import annotations

import numpy as np
import torch

from tests.engine.gradients.case import NETWORK, weights
from unlearnbench.builtin.unlearners.gradient.random_label import RandomLabel
from unlearnbench.builtin.unlearners.gradient.salun import SalUn
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.gradients.unlearner import has_module

FORGET = range(12)


def mask(method: SalUn, order: object = FORGET) -> np.ndarray:
    (deletion,) = NETWORK.deletions(method, [order])  # type: ignore[list-item]  # a range or a list
    (parts,) = method.mask_all([has_module(deletion.fitted).module], [deletion])
    return np.concatenate([part.numpy().ravel() for part in parts])


def test_weights_outside_the_mask_stay_to_the_bit_under_momentum_and_weight_decay() -> None:
    method = SalUn(momentum=0.9, weight_decay=0.1)
    start, (after,) = weights(NETWORK.original().fitted), NETWORK.unlearn(method, FORGET)
    assert np.array_equal(weights(after)[~mask(method)], start[~mask(method)])
    assert (weights(after)[mask(method)] != start[mask(method)]).mean() > 0.5


def test_the_mask_keeps_the_share_rounded_down() -> None:
    total = len(weights(NETWORK.original().fitted))
    for share in (0.0, 0.1, 0.5, 0.99, 1.0):
        assert mask(SalUn(share=share)).sum() == int(share * total)


def test_the_mask_does_not_depend_on_the_order_of_records() -> None:
    assert np.array_equal(mask(SalUn(), [*FORGET]), mask(SalUn(), [*FORGET][::-1]))


def test_the_mask_is_of_the_sum_of_gradients_not_of_the_sum_of_their_absolute_values() -> None:
    """Two records with opposite gradients cancel: what is ranked is the gradient of both together."""
    original = NETWORK.original()
    fitted, records = has_module(original.fitted), NETWORK.records
    by_record = []
    for i in FORGET:
        loss = torch.nn.functional.cross_entropy(
            fitted.module(fitted.inputs(records.x[[i]])), torch.tensor([records.y[i]])
        )
        by_record.append(torch.cat([g.ravel() for g in torch.autograd.grad(loss, list(fitted.module.parameters()))]))
    gradients = torch.stack(by_record)
    half = gradients.shape[1] // 2
    chosen = mask(SalUn())
    assert set(np.flatnonzero(chosen)) == set(gradients.sum(dim=0).abs().argsort(descending=True)[:half].tolist())
    assert set(np.flatnonzero(chosen)) != set(gradients.abs().sum(dim=0).argsort(descending=True)[:half].tolist())


def test_with_all_weights_it_is_random_labels() -> None:
    (all_of_them,), (plain,) = NETWORK.unlearn(SalUn(share=1.0), FORGET), NETWORK.unlearn(RandomLabel(), FORGET)
    assert np.array_equal(weights(all_of_them), weights(plain))


def test_the_mask_sees_the_forget_set_alone() -> None:
    (deletion,) = NETWORK.deletions(SalUn(), [FORGET])
    few = TrainingSet.of(NETWORK.records, range(50, 60))
    from dataclasses import replace

    (parts,) = SalUn().mask_all([has_module(deletion.fitted).module], [replace(deletion, retain=few)])
    assert np.array_equal(np.concatenate([part.numpy().ravel() for part in parts]), mask(SalUn()))


def test_masks_of_several_requests_are_those_of_each_to_the_bit() -> None:
    requests = [[3], [5, 4, 7], [], list(FORGET)]
    deletions = NETWORK.deletions(SalUn(share=0.3), requests)
    modules = [has_module(each.fitted).module for each in deletions]
    together = SalUn(share=0.3).mask_all(modules, deletions)
    for parts, ids in zip(together, requests, strict=True):
        alone = mask(SalUn(share=0.3), ids)
        assert np.array_equal(np.concatenate([part.numpy().ravel() for part in parts]), alone)
        assert alone.sum() == int(0.3 * len(alone))
