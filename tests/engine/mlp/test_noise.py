from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from unlearnbench.engine import jit
from unlearnbench.engine.mlp.noise import blocks_for, fill_normals, normals, philox


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0,) * 4, (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_known_answers_of_its_authors(
    counter: tuple[int, int, int, int], key: tuple[int, int], words: tuple[int, int, int, int]
) -> None:
    given = tuple(np.array([word], dtype=np.uint64) for word in counter)
    assert tuple(int(word[0]) for word in philox(given, key)) == words


def test_the_noise_is_standard_normal_and_uncorrelated() -> None:
    drawn = normals(5, 0, 400_000).astype(np.float64)
    assert stats.kstest(drawn, "norm").pvalue > 0.001
    for lag in (1, 100_000, 200_000, 300_000):  # the four numbers of a block lie so far apart
        assert abs(np.corrcoef(drawn[:-lag], drawn[lag:])[0, 1]) < 0.015


@pytest.mark.parametrize("other", [(6, 3), (5, 4)])
def test_another_seed_or_step_is_other_noise(other: tuple[int, int]) -> None:
    drawn = np.corrcoef(normals(5, 3, 40_000), normals(*other, 40_000))
    assert abs(drawn[0, 1]) < 0.025


@pytest.mark.skipif(not jit.usable(), reason="numba has no wheel for this platform")
@pytest.mark.parametrize("count", [1, 4, 67, 100_003])
def test_the_kernel_draws_the_same_noise(count: int) -> None:
    room = 4 * blocks_for(count)
    out = np.zeros(room, dtype=np.float32)
    fill_normals(2**32 - 1, 7, np.zeros(room, dtype=np.uint32), out)
    np.testing.assert_allclose(out[:count], normals(2**32 - 1, 7, count), atol=1e-6)
