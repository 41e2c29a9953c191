"""The passes of several networks are those of torch, and a network does not depend on the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearnbench.engine import jit

if not jit.usable():
    pytest.skip("numba has no wheel for this platform", allow_module_level=True)

from unlearnbench.builtin.models.mlp.fitted import module_of
from unlearnbench.engine.mlp.layout import Layers, initial_layers, layout_of, network_of, padded_rows, unpack
from unlearnbench.engine.mlp.passes import workspace_for
from unlearnbench.engine.mlp.several import gradients, logits

widths = st.lists(st.integers(1, 20), min_size=2, max_size=4)


def passed(
    layers: Sequence[Layers], x: np.ndarray, rows: np.ndarray, slopes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    net = layout_of([layers[0][0][0].shape[1], *(len(bias) for _, bias in layers[0])])
    parameters, inputs = np.stack([network_of(each).parameters for each in layers]), padded_rows(x)
    space = workspace_for(net, rows.shape[1])
    return logits(net, space, parameters, inputs, rows), gradients(net, space, parameters, inputs, rows, slopes)


@given(sizes=widths, networks=st.integers(1, 4), batch=st.integers(1, 40), seed=st.integers(0, 2**20))
@settings(deadline=None, max_examples=40)
def test_logits_and_gradients_are_those_of_torch_and_of_each_network_alone(
    sizes: list[int], networks: int, batch: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    layers = [initial_layers(sizes, seed + k) for k in range(networks)]
    x, rows = rng.normal(size=(30, sizes[0])), rng.integers(30, size=(networks, batch))
    slopes = rng.normal(size=(networks, batch, sizes[-1])).astype(np.float32)
    found, moved = passed(layers, x, rows, slopes)
    for k, own in enumerate(layers):
        module = module_of(own)
        wanted = module(torch.from_numpy(x[rows[k]].astype(np.float32)))
        wanted.backward(torch.from_numpy(slopes[k]))
        np.testing.assert_allclose(found[k], wanted.detach().numpy(), atol=1e-4)
        pairs = zip(unpack(layout_of(sizes), moved[k]), list(module.children())[::2], strict=True)
        for (weight, bias), layer in pairs:
            np.testing.assert_allclose(weight, layer.weight.grad, atol=1e-4, rtol=1e-4)  # type: ignore[arg-type]  # has one
            np.testing.assert_allclose(bias, layer.bias.grad, atol=1e-4, rtol=1e-4)  # type: ignore[arg-type]  # as above
        alone, moved_alone = passed([own], x, rows[k : k + 1], slopes[k : k + 1])
        assert np.array_equal(alone[0], found[k])
        assert np.array_equal(moved_alone[0], moved[k])


def test_of_a_made_example() -> None:
    """Logit 2 x - 1 of inputs 3 and 4; slopes 1 and 10 give 3 + 40 and 1 + 10."""
    layers = [[(np.array([[2.0]], np.float32), np.array([-1.0], np.float32))]]
    found, moved = passed(layers, np.array([[3.0], [4.0]]), np.array([[0, 1]]), np.array([[[1], [10]]], np.float32))
    ((weight, bias),) = unpack(layout_of([1, 1]), moved[0])
    assert found.tolist() == [[[5], [7]]]
    assert (weight.item(), bias.item()) == (43, 11)
