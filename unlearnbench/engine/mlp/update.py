"""What an optimizer does to one layer's parameters, as torch's fused optimizers do it.

A model's state is one flat array: its parameters (size,), then for Adam the two running means of each.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.mlp.simd import LANES, Floats, fill, fma, load, root, store

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
"""Adam's constants: those of Kingma and Ba (2015), and torch's defaults."""


class Rule(NamedTuple):
    """An optimizer; ``decay`` times the parameters is added to their gradient."""

    adam: bool
    rate: float
    decay: float

    @property
    def copies(self) -> int:
        """How many times the parameters' size its state takes."""
        return 3 if self.adam else 1


@kernel(borrows=True)
def descend(rule: Rule, state: Floats, size: int, begin: int, end: int, gradient: Floats, step: int) -> None:
    """Take the ``step``-th step, counted from 1, with the parameters in ``begin:end``; their gradient begins at 0."""
    if rule.adam:
        _adam(rule, state, size, begin, end, gradient, step)
    else:
        _sgd(rule, state, begin, end, gradient)


@kernel(borrows=True)
def _adam(rule: Rule, state: Floats, size: int, begin: int, end: int, gradient: Floats, step: int) -> None:
    decay, stay, epsilon = fill(np.float32(rule.decay)), fill(np.float32(BETA2)), fill(np.float32(EPSILON))
    new, new_square = fill(np.float32(1 - BETA1)), fill(np.float32(1 - BETA2))
    stride = fill(np.float32(-rule.rate / (1 - BETA1**step)))
    unbiased = fill(np.float32(1 / np.sqrt(1 - BETA2**step)))
    for at in range(begin, end, LANES):
        weight, mean, square = load(state, at), load(state, size + at), load(state, 2 * size + at)
        slope = fma(decay, weight, load(gradient, at - begin))
        mean = fma(new, slope - mean, mean)
        square = fma(new_square * slope, slope, stay * square)
        store(state, size + at, mean)
        store(state, 2 * size + at, square)
        store(state, at, fma(stride, mean / fma(root(square), unbiased, epsilon), weight))


@kernel(borrows=True)
def _sgd(rule: Rule, state: Floats, begin: int, end: int, gradient: Floats) -> None:
    decay, stride = fill(np.float32(rule.decay)), fill(np.float32(-rule.rate))
    for at in range(begin, end, LANES):
        weight = load(state, at)
        store(state, at, fma(stride, fma(decay, weight, load(gradient, at - begin)), weight))
