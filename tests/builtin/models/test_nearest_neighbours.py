from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.builtin.models.nearest_neighbours import FittedNeighbours, NearestNeighbours, nearest
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.posteriors import log_of
from unlearnbench.core.records import Provenance, Records, Step, TrainingSet
from unlearnbench.engine.scaling import Scaler

if TYPE_CHECKING:
    from tests.builtin.models.conftest import Blobs


def fit(data: TrainingSet, k: int = 5, scaler: Scaler = "original") -> FittedNeighbours:
    return NearestNeighbours(k, scaler).fit(FitTask(data, Seeds(1, 2, 3)), "cpu")


@pytest.mark.parametrize("k", [1, 5])
def test_scikit_learn_finds_the_same_shares(blobs: Blobs, k: int) -> None:
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import StandardScaler

    records = blobs(n=300)
    scaler = StandardScaler().fit(records.x[:150])
    theirs = KNeighborsClassifier(k).fit(scaler.transform(records.x[:150]), records.y[:150])
    answer = fit(TrainingSet.of(records, np.arange(150)), k).log_posteriors(records.x)
    np.testing.assert_allclose(answer, log_of(theirs.predict_proba(scaler.transform(records.x))), atol=1e-12)


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=4),
    st.integers(1, 6),
)
def test_the_nearest_are_the_first_k_of_a_stable_sort(rows: list[list[int]], k: int) -> None:
    distances = np.array(rows, dtype=np.float64)
    expected = np.zeros(distances.shape, dtype=np.bool_)
    np.put_along_axis(expected, distances.argsort(axis=1, kind="stable")[:, :k], True, axis=1)
    np.testing.assert_array_equal(nearest(distances, k), expected)


def test_of_records_equally_far_those_with_the_lower_ids_vote_in_any_order() -> None:
    x, y = np.array([[1.0], [-1.0], [1.0], [5.0]]), np.array([0, 1, 1, 1])
    records = Records("ties", x, y, 2, Provenance("made up", "none"))
    for ids in ([0, 1, 2, 3], [3, 2, 1, 0]):
        answer = np.exp(fit(TrainingSet.of(records, ids), k=2).log_posteriors(np.array([[1.0]])))
        np.testing.assert_allclose(answer, [[0.5, 0.5]])  # 0 and 2 vote
        alone = np.exp(fit(TrainingSet.of(records, ids), k=1).log_posteriors(np.array([[1.0]])))
        np.testing.assert_allclose(alone, [[1.0, 0.0]], atol=1e-40)


@pytest.mark.parametrize("scaler", ["original", "refit"])
@given(gone=st.sets(st.integers(0, 39), min_size=1, max_size=39), new=st.sets(st.integers(40, 59)))
def test_dropping_records_is_bitwise_a_refit(scaler: Scaler, gone: set[int], new: set[int]) -> None:
    x = np.random.default_rng(0).normal(size=(60, 2)).round(1)  # rounded: there are ties
    records = Records("toy", x, np.arange(60) % 3, 3, Provenance("made up", "none"))
    before = TrainingSet.of(records, np.arange(40))
    after = before.after(Step(np.array(sorted(gone)), np.array(sorted(new), dtype=np.int64)))
    moved = fit(before, scaler=scaler).moved_to(after)
    np.testing.assert_array_equal(moved.log_posteriors(x), fit(after, scaler=scaler).log_posteriors(x))


def test_where_there_are_fewer_than_k_records_all_vote(blobs: Blobs) -> None:
    records = blobs()
    answer = np.exp(fit(TrainingSet.of(records, [0, 1, 3]), k=5).log_posteriors(records.x))
    np.testing.assert_allclose(answer, np.tile([2 / 3, 1 / 3, 0], (150, 1)), atol=1e-12)


def test_an_answer_to_many_records_is_made_of_blocks(blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    records = blobs()
    fitted = fit(TrainingSet.of(records, np.arange(100)))
    whole = fitted.log_posteriors(records.x)
    monkeypatch.setattr("unlearnbench.builtin.models.nearest_neighbours._BLOCK", 700)
    np.testing.assert_array_equal(fitted.log_posteriors(records.x), whole)
    assert fitted.log_posteriors(records.x[:0]).shape == (0, 3)


def test_no_record_is_refused(blobs: Blobs) -> None:
    with pytest.raises(UserError, match="no record left"):
        fit(TrainingSet.of(blobs(), []))
