from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unlearnbench.engine import jit

if not jit.usable():
    pytest.skip("numba has no wheel for this platform", allow_module_level=True)

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.mlp import bank, optimizer, private, simd, train
from unlearnbench.engine.mlp.simd import (
    broadcast,
    fma,
    load,
    reduce_add,
    register,
    round_up,
    splat,
    sqrt,
    store,
    where_positive,
)

register()


@kernel()
def every_function(a: Any, b: Any, out: Any) -> None:
    store(out, 0, fma(load(a, 0), load(b, 0), splat(np.float32(0.5))))
    store(out, 16, load(a, 0) / load(b, 0) - load(a, 0) * load(b, 0))
    store(out, 32, sqrt(load(b, 0)) + broadcast(a, 3))
    store(out, 48, where_positive(load(a, 0), load(b, 0)))
    out[64] = reduce_add(load(a, 0))


def test_each_function_is_its_arithmetic_lane_by_lane() -> None:
    rng = np.random.default_rng(0)
    a, b, out = rng.normal(size=16).astype("f4"), rng.uniform(1, 2, 16).astype("f4"), np.zeros(65, "f4")
    every_function(a, b, out)
    fused = (a.astype("f8") * b + 0.5).astype("f4")  # a product of float32s is exact in float64
    np.testing.assert_allclose(out[:16], fused, rtol=1.2e-7)
    assert np.array_equal(out[16:32], a / b - a * b)
    assert np.array_equal(out[32:48], np.sqrt(b) + a[3])
    assert np.array_equal(out[48:64], np.where(a > 0, b, 0))
    np.testing.assert_allclose(out[64], a.sum(dtype="f8"), rtol=1e-6)


def test_what_is_not_a_number_is_not_hidden_by_where_positive() -> None:
    a, out = np.full(16, np.nan, "f4"), np.zeros(65, "f4")
    every_function(a, np.ones(16, "f4"), out)
    assert (out[48:64] == 1).all()


def test_the_functions_do_not_exist_outside_compiled_code() -> None:
    with pytest.raises(NotImplementedError, match="compiled code only"):
        load(np.zeros(16, "f4"), 0)


@pytest.mark.parametrize(("count", "rounded"), [(0, 0), (1, 16), (16, 16), (17, 32)])
def test_counts_are_rounded_up_to_a_multiple_of_the_lanes(count: int, rounded: int) -> None:
    assert round_up(count) == rounded


@pytest.mark.parametrize("kernel", [train.train, private.train_privately, bank.compute_logits, optimizer.apply_step])
def test_kernels_are_compiled_again_when_the_llvm_code_changes(kernel: Any) -> None:
    assert Path(simd.__file__).with_name("simd_code.py") in kernel.sources
