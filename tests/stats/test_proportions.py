from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, t

from unlearnbench.stats import clopper_pearson, korn_graubard


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (1, 400)])
def test_clopper_pearson_is_scipys_exact_interval(k: int, n: int) -> None:
    expected = binomtest(k, n).proportion_ci(method="exact")
    assert clopper_pearson(k, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_korn_and_graubard_is_clopper_and_pearson_on_the_rows_that_clustered_ones_are_worth() -> None:
    hits = np.array([[1, 0, 0, 0], [1, 1, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0]])
    estimate = korn_graubard(hits.ravel(), np.repeat(np.arange(6), 4))
    share, n, k = hits.mean(), 24, 6
    variance = hits.mean(axis=1).var(ddof=1) / k
    deff = variance / (share * (1 - share) / n)
    worth = n / deff * (t.ppf(0.975, n - 1) / t.ppf(0.975, k - 1)) ** 2
    assert estimate.details["design_effect"] == pytest.approx(deff)
    assert (estimate.low, estimate.high) == pytest.approx(clopper_pearson(share * worth, worth))


def test_rows_never_count_for_more_than_their_number() -> None:
    hits = np.tile([1, 0, 0, 0], 6)  # every cluster has the same share: no spread at all
    estimate = korn_graubard(hits, np.repeat(np.arange(6), 4))
    assert (estimate.low, estimate.high) == pytest.approx(clopper_pearson(6, 24))


@pytest.mark.parametrize("hit", [0, 1])
def test_none_and_all_have_a_one_sided_interval(hit: int) -> None:
    estimate = korn_graubard(np.full(40, hit), np.arange(40) // 8)
    assert (estimate.value, estimate.status) == (hit, "ok")
    assert (estimate.high - estimate.low) > 1 - 0.025 ** (1 / 40)
    assert hit in (estimate.low, estimate.high)


def test_fewer_than_five_clusters_have_no_interval() -> None:
    assert korn_graubard([1, 0, 1, 0], [0, 1, 2, 3]).status == "no-interval"


def test_no_rows_are_undefined() -> None:
    assert korn_graubard([], []).status == "undefined"


def test_anything_but_yes_or_no_is_an_error() -> None:
    with pytest.raises(ValueError, match="booleans"):
        korn_graubard([0.5, 1], [0, 1])
