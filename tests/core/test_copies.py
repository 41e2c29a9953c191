"""Noisy copies of records follow from the record and the seed path alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.copies import SCALES, CopyAnswers, copy_ids, noisy_copies
from unlearnbench.core.seeding import SeedPath
from unlearnbench.testing.samples import blobs

SEEDS = SeedPath(7) / "copies"
RECORDS = blobs(500)


def test_each_scale_is_twice_the_one_before() -> None:
    assert np.array_equal(np.diff(np.log2(SCALES)).round(12), np.ones(len(SCALES) - 1))


@given(st.lists(st.integers(0, 499), min_size=1, max_size=20), st.integers(1, 6), st.integers(0, 5))
def test_a_copy_depends_neither_on_other_records_nor_on_their_order_nor_on_the_number_of_copies(
    ids: list[int], copies: int, more: int
) -> None:
    asked = np.array(ids)
    found = noisy_copies(RECORDS, asked, copies, SEEDS)
    assert found.shape == (len(ids), copies, len(SCALES), 4)
    assert np.array_equal(found, noisy_copies(RECORDS, asked[::-1], copies + more, SEEDS)[::-1, :copies])
    assert np.array_equal(found[:1], noisy_copies(RECORDS, asked[:1], copies, SEEDS))


def test_they_are_the_record_and_scaled_noise_in_one_direction() -> None:
    ids = np.arange(40)
    found = noisy_copies(RECORDS, ids, 3, SEEDS)
    steps = (found - RECORDS.x[ids, None, None]) / np.array(SCALES)[:, None]
    np.testing.assert_allclose(steps, np.broadcast_to(steps[:, :, :1], steps.shape), atol=1e-9)


def test_the_noise_of_a_feature_is_normal_with_the_spread_of_the_feature() -> None:
    ids = np.arange(500)
    found = noisy_copies(RECORDS, ids, 20, SEEDS)[:, :, SCALES.index(0.4)]
    noise = (found - RECORDS.x[:, None]) / (0.4 * RECORDS.x.std(axis=0))
    np.testing.assert_allclose(noise.mean(axis=(0, 1)), 0, atol=0.05)  # 10,000 draws: standard error .01
    np.testing.assert_allclose(noise.std(axis=(0, 1)), 1, atol=0.05)
    assert np.abs(np.corrcoef(noise.reshape(-1, 4).T) - np.eye(4)).max() < 0.05


def test_other_seeds_give_other_copies() -> None:
    ids = np.arange(5)
    assert not np.isclose(
        noisy_copies(RECORDS, ids, 2, SEEDS), noisy_copies(RECORDS, ids, 2, SeedPath(8) / "copies")
    ).any()


def test_bounds_are_kept() -> None:
    low, high = float(RECORDS.x.min()), float(RECORDS.x.max())
    found = noisy_copies(replace(RECORDS, bounds=(low, high)), np.arange(500), 4, SEEDS)
    assert (found.min(), found.max()) == (low, high)


def test_a_feature_that_all_records_share_stays() -> None:
    x = RECORDS.x.copy()
    x[:, 1] = 3.0
    assert (noisy_copies(replace(RECORDS, x=x), np.arange(5), 2, SEEDS)[..., 1] == 3.0).all()


def test_records_of_any_shape_have_copies() -> None:
    found = noisy_copies(blobs(30, shape=(2, 3)), np.arange(4), 2, SEEDS)
    assert found.shape == (4, 2, len(SCALES), 2, 3)
    assert noisy_copies(RECORDS, np.empty(0, dtype=np.int64), 2, SEEDS).shape == (0, 2, len(SCALES), 4)


@given(st.integers(1, 5), st.integers(0, 4))
def test_every_copy_has_an_id_of_its_own_whatever_the_number_of_copies(copies: int, more: int) -> None:
    ids = np.arange(0, 500, 7)
    found = copy_ids(RECORDS, ids, copies)
    assert found.shape == (len(ids), copies, len(SCALES))
    assert len(np.unique(found)) == found.size
    assert found.min() >= len(RECORDS)
    assert np.array_equal(found, copy_ids(RECORDS, ids, copies + more)[:, :copies])


def test_answers_cannot_be_written_into() -> None:
    answers = CopyAnswers(np.zeros((2, 1, len(SCALES), 3)), np.zeros((2, 1, len(SCALES), 3)))
    with pytest.raises(ValueError, match="read-only"):
        answers.take(np.array([1])).after[:] = 1
