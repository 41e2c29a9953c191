"""One optimizer step on one layer's parameters, as torch's fused optimizers take it.

The state of a network is one flat array: its parameters (size,), then for Adam the running mean of the gradient (size,)
and that of its square (size,).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.mlp.simd import LANES, Floats, fma, load, splat, sqrt, store

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
"""Adam's constants: those of Kingma and Ba (2015), and torch's defaults."""


class Optimizer(NamedTuple):
    """Adam, or gradient descent without momentum."""

    adam: bool
    """Whether it is Adam."""
    rate: float
    """The learning rate."""
    decay: float
    """The weight decay: this times the parameters is added to their gradient."""

    @property
    def copies(self) -> int:
        """The size of its state, in multiples of the number of parameters."""
        return 3 if self.adam else 1


@kernel(borrows=True)
def apply_step(
    optimizer: Optimizer, state: Floats, size: int, begin: int, end: int, gradient: Floats, step: int
) -> None:
    """Take step number ``step``, from 1, with the parameters in ``begin:end``; their gradient begins at 0."""
    if optimizer.adam:
        _adam(optimizer, state, size, begin, end, gradient, step)
    else:
        _sgd(optimizer, state, begin, end, gradient)


@kernel(borrows=True)
def _adam(optimizer: Optimizer, state: Floats, size: int, begin: int, end: int, gradient: Floats, step: int) -> None:
    """Take a step of Adam: parameter -= rate / (1 - BETA1^t) mean / (sqrt(square / (1 - BETA2^t)) + EPSILON)."""
    # The factors that all parameters share are computed in float64 and rounded once.
    decay, stay, epsilon = splat(np.float32(optimizer.decay)), splat(np.float32(BETA2)), splat(np.float32(EPSILON))
    new, new_square = splat(np.float32(1 - BETA1)), splat(np.float32(1 - BETA2))
    rate = splat(np.float32(-optimizer.rate / (1 - BETA1**step)))
    unbiased = splat(np.float32(1 / np.sqrt(1 - BETA2**step)))
    for at in range(begin, end, LANES):
        weight, mean, square = load(state, at), load(state, size + at), load(state, 2 * size + at)
        slope = fma(decay, weight, load(gradient, at - begin))
        mean = fma(new, slope - mean, mean)
        square = fma(new_square * slope, slope, stay * square)
        store(state, size + at, mean)
        store(state, 2 * size + at, square)
        store(state, at, fma(rate, mean / fma(sqrt(square), unbiased, epsilon), weight))


@kernel(borrows=True)
def _sgd(optimizer: Optimizer, state: Floats, begin: int, end: int, gradient: Floats) -> None:
    """Take a step of gradient descent: parameter -= rate (gradient + decay parameter)."""
    decay, rate = splat(np.float32(optimizer.decay)), splat(np.float32(-optimizer.rate))
    for at in range(begin, end, LANES):
        weight = load(state, at)
        store(state, at, fma(rate, fma(decay, weight, load(gradient, at - begin)), weight))
