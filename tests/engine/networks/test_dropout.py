from __future__ import annotations

import numpy as np
import pytest

from unlearnbench.engine.networks.dropout import unit_scales

SHARES = np.array([0.25, 0.5, 0.0])


def test_units_are_left_out_as_often_as_their_share_says_and_the_rest_makes_up_for_it():
    scales = unit_scales(1, 0, np.arange(20_000), SHARES)
    assert scales.dtype == np.float32
    np.testing.assert_allclose((scales == 0).mean(axis=0), SHARES, atol=0.015)
    np.testing.assert_allclose(scales.mean(axis=0), 1, atol=0.03)
    np.testing.assert_allclose(scales.max(axis=0), [4 / 3, 2, 1], rtol=1e-6)


def test_a_record_has_its_draws_whoever_else_is_there():
    every = unit_scales(1, 2, np.arange(50), SHARES)
    some = np.array([40, 3, 17])
    assert np.array_equal(unit_scales(1, 2, some, SHARES), every[some])


@pytest.mark.parametrize(("seed", "epoch"), [(2, 2), (1, 3)])
def test_another_seed_and_another_epoch_are_other_draws(seed, epoch):
    ids = np.arange(50)
    assert not np.array_equal(unit_scales(seed, epoch, ids, SHARES), unit_scales(1, 2, ids, SHARES))


def test_units_and_records_are_independent():
    left_out = unit_scales(1, 0, np.arange(20_000), np.full(4, 0.5)) == 0
    np.testing.assert_allclose(np.corrcoef(left_out.T), np.eye(4), atol=0.03)
    assert abs(np.corrcoef(left_out[:-1, 0], left_out[1:, 0])[0, 1]) < 0.03
