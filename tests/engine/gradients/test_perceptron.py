"""Sums over the gradients of single records of a perceptron are those of gradients that are made one by one."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.engine.gradients.importance import cross_entropy
from unlearnbench.engine.gradients.perceptron import copy_of, gradients_of_sums, sum_by_record, with_weights

widths = st.lists(st.integers(1, 6), min_size=2, max_size=5)


def network(sizes: list[int], seed: int) -> torch.nn.Sequential:
    """Return linear layers of these widths with ReLU in turns."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = [torch.nn.Linear(a, b) for a, b in pairwise(sizes)]
    return torch.nn.Sequential(*[part for layer in layers for part in (layer, torch.nn.ReLU())][:-1]).double()


def several(logits: torch.Tensor) -> torch.Tensor:
    """Measure as many numbers as there are classes."""
    return logits.log_softmax(dim=1)[0]


@given(
    sizes=widths, n=st.integers(1, 9), seed=st.integers(0, 99), power=st.sampled_from([1, 2]), labelled=st.booleans()
)
def test_sums_are_those_of_one_record_after_the_other(
    sizes: list[int], n: int, seed: int, power: Literal[1, 2], labelled: bool
) -> None:
    module, rng = network(sizes, seed), np.random.default_rng(seed)
    x, y = torch.from_numpy(rng.normal(size=(n, sizes[0]))), torch.from_numpy(rng.integers(sizes[-1], size=n))
    parameters = list(module.parameters())
    expected = [torch.zeros_like(each) for each in parameters]
    for record, label in zip(torch.split(x, 1), torch.split(y, 1), strict=True):
        logits = module(record)
        for number in [cross_entropy(logits, label)] if labelled else several(logits):
            for total, slope in zip(expected, torch.autograd.grad(number, parameters, retain_graph=True), strict=True):
                total += slope.abs() ** power
    found = sum_by_record(module, *((cross_entropy, power, [x, y]) if labelled else (several, power, [x])))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other.detach())


@pytest.mark.parametrize("power", [1, 2])
def test_of_a_made_example(power: Literal[1, 2]) -> None:
    """d (w x + b) / d w = x: of inputs -1 and 3 the sums are 4 and 10."""
    (weight, bias) = sum_by_record(
        network([1, 1], 0), lambda z: z.sum(), power, [torch.tensor([[-1.0], [3.0]]).double()]
    )
    assert (weight.item(), bias.item()) == ({1: 4, 2: 10}[power], 2)


@given(sizes=widths, sets=st.integers(1, 4), n=st.integers(1, 9), seed=st.integers(0, 99))
def test_the_gradients_of_the_sums_are_those_of_torch(sizes: list[int], sets: int, n: int, seed: int) -> None:
    module, rng = network(sizes, seed), np.random.default_rng(seed)
    x, y = (
        torch.from_numpy(rng.normal(size=(sets, n, sizes[0]))),
        torch.from_numpy(rng.integers(sizes[-1], size=(sets, n))),
    )
    for own_x, own_y, found in zip(x, y, gradients_of_sums(module, list(x), y), strict=True):
        loss = torch.nn.functional.cross_entropy(module(own_x), own_y, reduction="sum")
        wanted = torch.autograd.grad(loss, list(module.parameters()))
        torch.testing.assert_close(found, torch.cat([each.flatten() for each in wanted]))


@pytest.mark.parametrize("module", [network([3, 4, 2], 0), torch.nn.BatchNorm1d(3)], ids=["perceptron", "another"])
def test_a_copy_is_equal_and_independent(module: torch.nn.Module) -> None:
    first, *_ = module.parameters()
    first.requires_grad_(False)
    copied = copy_of(module)
    before = {name: values.clone() for name, values in module.state_dict().items()}
    assert repr(copied) == repr(module)
    assert [each.requires_grad for each in copied.parameters()] == [each.requires_grad for each in module.parameters()]
    for values in copied.state_dict().values():
        values += 1
    copied.eval().register_forward_hook(lambda *_: pytest.fail("the hook of the copy"))
    assert module.eval()(torch.zeros(2, 3).to(first.dtype)).isfinite().all()
    for name, values in module.state_dict().items():
        assert torch.equal(values, before[name])
        assert torch.equal(copied.state_dict()[name], before[name] + 1)


@pytest.mark.parametrize("module", [network([3, 4, 2], 0), torch.nn.BatchNorm1d(3)], ids=["perceptron", "another"])
def test_a_copy_with_other_weights_has_them_and_buffers_of_its_own(module: torch.nn.Module) -> None:
    before = {name: values.clone() for name, values in module.state_dict().items()}
    given = [torch.full_like(each, k) for k, each in enumerate(module.parameters())]
    made = with_weights(module, given)
    for k, parameter in enumerate(made.parameters()):
        assert bool((parameter == k).all())
    for values in made.state_dict().values():
        values += 1
    assert all(bool((each == k).all()) for k, each in enumerate(given))
    assert all(torch.equal(values, before[name]) for name, values in module.state_dict().items())
