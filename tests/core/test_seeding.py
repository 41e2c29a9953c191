"""Randomness depends on a path, on nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.seeding import SeedPath, keyed_bits, keyed_normals, keyed_uniforms, order_of, row_keys


def test_a_path_gives_the_draws_that_were_recorded_once_and_for_all() -> None:
    place = SeedPath(20211115) / "scratch" / "adult" / "lr" / "target" / 3
    assert place.rng().integers(0, 2**32, 4).tolist() == [56501416, 2434790844, 2610058436, 430683500]


def test_the_same_path_always_gives_the_same_draws() -> None:
    place = SeedPath(1) / "a" / 2
    assert place.seed() == (SeedPath(1) / "a" / 2).seed()
    assert place.rng().random() == place.rng().random()


def test_paths_that_only_join_alike_differ() -> None:
    places = [SeedPath(0) / "a" / 12, SeedPath(0) / "a" / 1 / 2, SeedPath(1) / "a" / 12, SeedPath(0) / "a1" / 2]
    assert len({place.seed() for place in places}) == len(places)


@pytest.mark.parametrize("part", ["", "a/b"])
def test_a_part_that_would_blur_the_path_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match="seed path part"):
        SeedPath(0) / part


@given(st.integers(0, 2**63), st.integers(0, 300))
def test_a_permutation_holds_every_number_once(root: int, n: int) -> None:
    assert sorted((SeedPath(root) / "p").permutation(n)) == list(range(n))


def test_a_record_keeps_its_draw_when_another_goes() -> None:
    ids = np.arange(100)
    kept = np.delete(ids, 40)
    assert np.array_equal(np.delete(keyed_bits(7, ids), 40), keyed_bits(7, kept))


def test_draws_differ_between_seeds_keys_and_their_order() -> None:
    words = [keyed_bits(1, 2, 3), keyed_bits(1, 3, 2), keyed_bits(2, 2, 3), keyed_bits(1, 2), keyed_bits(1, 2, 3, 0)]
    assert len({int(word) for word in words}) == len(words)


def test_draws_of_several_seeds_are_those_of_each() -> None:
    seeds, ids = [4, 2**32 - 1, 4], np.arange(3)
    for draw in (keyed_bits, keyed_uniforms, keyed_normals):
        together = draw(np.array(seeds), 7, ids)
        assert together.tolist() == [draw(seed, 7, i).item() for seed, i in zip(seeds, ids, strict=True)]


def test_keyed_draws_follow_their_distributions() -> None:
    from scipy import stats

    n = np.arange(20_000)
    assert stats.kstest(keyed_uniforms(3, n), "uniform").pvalue > 1e-3
    assert stats.kstest(keyed_normals(3, n), "norm").pvalue > 1e-3
    assert abs(np.corrcoef(keyed_normals(3, n), keyed_normals(3, n, 1))[0, 1]) < 0.03


def test_equal_rows_have_equal_keys_in_any_batch_and_minus_zero_is_zero() -> None:
    x = np.array([[1.0, 0.0], [2.0, 3.0], [1.0, -0.0]])
    keys = row_keys(x)
    assert keys[0] == keys[2] != keys[1]
    assert row_keys(x[1:2])[0] == keys[1]


@given(st.integers(0, 300), st.sampled_from([2, 6, 20, 64]), st.integers(0, 310))
def test_sorting_words_with_their_places_in_them_is_a_stable_argsort(n: int, bits: int, first: int) -> None:
    words = np.random.default_rng(n).integers(0, 2**64, size=n, dtype=np.uint64)
    words = (words >> np.uint64(64 - bits)) << np.uint64(64 - bits)  # few bits: ties, which fall back
    np.testing.assert_array_equal(order_of(words, first), np.argsort(words, kind="stable")[:first])


def test_the_first_entries_of_a_permutation_are_those_of_the_whole() -> None:
    path = SeedPath(0) / "whole"
    np.testing.assert_array_equal(path.permutation(500, 20), path.permutation(500)[:20])
