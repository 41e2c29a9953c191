"""Where a network starts, drawn so that every engine starts there."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.mlp.layout import Layers


def initial_layers(widths: Sequence[int], seed: int) -> Layers:
    """Return weights and biases uniform in +-1/sqrt(fan-in), torch's own default for linear layers.

    One raw Philox word a number, in the order of torch's parameters: raw words are the same in every numpy version.
    """
    words = np.random.Philox(seed)
    return [
        (
            _uniform(words, fan_in * fan_out, fan_in).reshape(fan_out, fan_in),
            _uniform(words, fan_out, fan_in),
        )
        for fan_in, fan_out in pairwise(widths)
    ]


def _uniform(words: np.random.Philox, count: int, fan_in: int) -> NDArray[np.float32]:
    unit = (words.random_raw(count) >> np.uint64(11)) * 2.0**-53
    return np.asarray((2 * unit - 1) * fan_in**-0.5, dtype=np.float32)
