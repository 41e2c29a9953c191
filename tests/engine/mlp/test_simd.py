from __future__ import annotations

from pathlib import Path

import pytest

from unlearnbench.engine import jit

if not jit.usable():
    pytest.skip("numba has no wheel for this platform", allow_module_level=True)

from unlearnbench.engine.mlp import bank, private, simd, train, update


@pytest.mark.parametrize("kernel", [train.train, private.train_privately, bank.answer, update.descend])
def test_kernels_are_compiled_again_when_the_llvm_code_changes(kernel):
    assert Path(simd.__file__).with_name("simd_code.py") in kernel.sources
