from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tests.engine.gradients.case import NETWORK, weights
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.builtin.unlearners.gradient.last_blocks import CFk, EUk
from unlearnbench.core.originals import Original
from unlearnbench.core.records import TrainingSet
from unlearnbench.core.seeding import SeedPath

FORGET = range(5)
SIZES = np.cumsum([0, 4 * 8 + 8, 8 * 5 + 5, 5 * 3 + 3])
"""Where the parameters of each of the three blocks begin."""


@pytest.mark.parametrize("method", [CFk, EUk])
@pytest.mark.parametrize("k", [1, 2, 3, 9])
def test_the_first_blocks_stay_to_the_bit_and_the_last_k_move(method: type[CFk], k: int) -> None:
    (after,) = NETWORK.unlearn(method(k=k, epochs=2), FORGET)
    start = weights(NETWORK.original().fitted)
    moved = [not np.array_equal(weights(after)[a:b], start[a:b]) for a, b in pairwise(SIZES)]
    assert moved == [block >= 3 - k for block in range(3)]


def test_with_all_blocks_and_no_anchor_cf_k_is_fine_tuning() -> None:
    (last,) = NETWORK.unlearn(CFk(k=3, epochs=2, anchor=0.0), FORGET)
    (plain,) = NETWORK.unlearn(Finetune(epochs=2, momentum=0.0, weight_decay=0.0), FORGET)
    assert np.array_equal(weights(last), weights(plain))


def test_the_anchor_pulls_back_to_where_training_started() -> None:
    one, free, held = (
        weights(NETWORK.unlearn(CFk(3, epochs, 0.1, 100, anchor), FORGET)[0])
        for epochs, anchor in ((1, 0.2), (2, 0.0), (2, 0.2))
    )
    moved = one - weights(NETWORK.original().fitted)
    np.testing.assert_allclose(held - free, -0.1 * 2 * 0.2 * moved, atol=1e-6)


def test_with_all_blocks_eu_k_has_nothing_of_the_original() -> None:
    """Two originals, trained with other seeds, lead to the same network."""
    method = EUk(k=3)
    (deletion,) = NETWORK.deletions(method, [FORGET])
    other = Original(NETWORK.model, TrainingSet.of(NETWORK.records, range(60)), SeedPath(5), engine="reference")
    assert not np.array_equal(weights(other.fitted), weights(deletion.fitted))
    both = [weights(method.unlearn(each)) for each in (deletion, replace(deletion, fitted=other.fitted))]
    assert np.array_equal(both[0], both[1])


def test_eu_k_draws_new_weights_for_each_version_and_trains_as_long_as_the_original() -> None:
    untrained = EUk(k=2, epochs=0)
    first, second = NETWORK.unlearn(untrained, FORGET, FORGET)
    assert not np.isin(weights(first)[SIZES[1] :], weights(NETWORK.original().fitted)).any()
    assert not np.array_equal(weights(first), weights(second))
    (stage,) = EUk().stages(NETWORK.original())
    assert len(stage.passes) == 3
