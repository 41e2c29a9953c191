from __future__ import annotations

from math import exp, factorial

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.seeding import keyed_uniforms
from unlearnbench.engine.trees.draws import bag_weights, tree_seed


def test_counts_follow_poissons_law_of_mean_1() -> None:
    counts = np.bincount(bag_weights(5, 0, np.arange(200_000)), minlength=12)
    expected = 200_000 * np.array([exp(-1) / factorial(k) for k in range(7)])
    assert (np.abs(counts[:7] - expected) < 5 * np.sqrt(expected)).all()
    assert counts[7:].sum() < 60  # 200,000 * P(count > 6) is 17


def test_counts_are_the_inverse_of_the_distribution_function() -> None:
    ids = np.arange(3000)
    u = keyed_uniforms(9, 1, 4, ids)
    for count, draw in zip(bag_weights(9, 4, ids), u, strict=True):
        below = sum(exp(-1) / factorial(k) for k in range(count))
        assert below <= draw < below + exp(-1) / factorial(count) + 1e-15


@given(st.integers(0, 2**32 - 1), st.integers(0, 500), st.sets(st.integers(0, 10**6), min_size=1, max_size=40))
def test_a_records_count_does_not_depend_on_the_others(seed: int, tree: int, drawn: set[int]) -> None:
    ids = np.array(sorted(drawn))
    together = bag_weights(seed, tree, ids)
    assert together.tolist() == [int(bag_weights(seed, tree, ids[[i]])[0]) for i in range(len(ids))]


def test_trees_and_seeds_draw_apart() -> None:
    ids = np.arange(2000)
    bags = np.array([bag_weights(seed, tree, ids) for seed in (1, 2) for tree in (0, 1)])
    off_diagonal = np.corrcoef(bags)[np.triu_indices(4, 1)]
    assert np.abs(off_diagonal).max() < 0.1
    assert len({tree_seed(seed, tree) for seed in range(20) for tree in range(50)}) == 1000


def test_a_trees_seed_has_32_bits() -> None:
    assert min(tree_seed(3, t) for t in range(300)) >= 0
    assert 2**31 < max(tree_seed(3, t) for t in range(300)) < 2**32
