from __future__ import annotations

import io
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from unlearnbench.builtin.datasets import location30
from unlearnbench.builtin.datasets.location30 import FILE, Location30
from unlearnbench.core.cards import card


def test_packed_bits_become_zeros_and_ones_again(stand_in: Callable[[ModuleType, bytes], None]) -> None:
    bits = np.random.default_rng(0).integers(0, 2, size=(4, 13), dtype=np.uint8)
    content = io.BytesIO()
    np.savez(content, x_packed=np.packbits(bits, axis=1), n_features=13, y=np.array([0, 29, 5, 5], dtype=np.uint8))
    stand_in(location30, content.getvalue())
    records = Location30().load()
    np.testing.assert_array_equal(records.x, bits)
    assert records.x.dtype == np.float64
    assert records.y.tolist() == [0, 29, 5, 5]


@pytest.mark.skipif(FILE.find() is None, reason=f"UNLEARNBENCH_DATA has no {FILE.folder}/{FILE.name}")
def test_the_real_file_has_the_known_rows_and_classes() -> None:
    records = Location30().load()
    described = card(records)
    assert (described.rows, described.features, described.twins) == (5_010, 446, 0)
    counts = [count for _, count in described.classes]
    assert (len(counts), min(counts), max(counts)) == (30, 97, 308)
    assert set(np.unique(records.x)) == {0.0, 1.0}
