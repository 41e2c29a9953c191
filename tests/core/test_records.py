"""Training sets: what deleting does to them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.records import Order, Provenance, Records, Step, TrainingSet, among, changes


def records(x: np.ndarray | None = None, y: np.ndarray | None = None) -> Records:
    features = np.arange(12.0).reshape(6, 2) if x is None else x
    labels = np.array([0, 1, 0, 1, 0, 1]) if y is None else y
    return Records("toy", features, labels, 2, Provenance("made up", "CC0"), feature_names=("a", "b"))


def test_a_deleted_record_is_masked_in_its_slot_or_closed_up() -> None:
    data = TrainingSet.of(records(), [4, 2, 0, 1])
    slot, compact = (data.after(Step(np.array([2])), order) for order in ("slot", "compact"))
    assert slot.ids.tolist() == [4, 2, 0, 1]
    assert slot.mask.tolist() == [True, False, True, True]
    assert compact.ids.tolist() == [4, 0, 1]
    assert slot.kept_ids.tolist() == compact.kept_ids.tolist() == [4, 0, 1]
    assert len(slot) == len(compact) == 3


def test_what_changes_between_training_sets_is_counted_whatever_order_and_slots() -> None:
    before = TrainingSet.of(records(), [4, 2, 0, 1, 1])
    after = before.after(Step(np.array([2]), np.array([5, 5, 1])))
    gone, new = changes(before, after)
    assert (gone.tolist(), new.tolist()) == ([2], [1, 5, 5])
    assert [ids.tolist() for ids in changes(after, after)] == [[], []]


@given(
    ids=st.lists(st.integers(0, 5), max_size=8),
    steps=st.lists(st.tuples(st.lists(st.integers(0, 5), max_size=3), st.lists(st.integers(0, 5), max_size=3))),
    order=st.sampled_from(["slot", "compact", "fresh"]),
    backwards=st.booleans(),
)
def test_what_changes_is_the_difference_of_the_counts(
    ids: list[int], steps: list[tuple[list[int], list[int]]], order: Order, backwards: bool
) -> None:
    before = after = TrainingSet.of(records(), np.array(ids, dtype=np.int64))
    for forget, add in steps:
        after = after.after(Step(np.array(forget, dtype=np.int64), np.array(add, dtype=np.int64)), order)
    if backwards:
        before, after = after, before
    one, other = Counter(before.kept_ids.tolist()), Counter(after.kept_ids.tolist())
    expected = [sorted((one - other).elements()), sorted((other - one).elements())]
    assert [found.tolist() for found in changes(before, after)] == expected


def test_added_records_come_last_and_may_be_forgotten_later() -> None:
    data = TrainingSet.of(records(), [0, 1]).after(Step(np.array([0]), np.array([5])))
    assert data.kept_ids.tolist() == [1, 5]
    assert data.after(Step(np.array([5]))).kept_ids.tolist() == [1]


def test_the_original_stays_known_through_a_chain_of_steps() -> None:
    data = TrainingSet.of(records(), [0, 1, 2])
    later = data.after(Step(np.array([0]))).after(Step(np.array([1])))
    assert later.original is data
    assert data.original is data


def test_equal_training_sets_have_equal_fingerprints_and_only_they() -> None:
    data = TrainingSet.of(records(), [0, 1, 2])
    again = TrainingSet.of(records(), [0, 1, 2])
    step = Step(np.array([1]))
    prints = [
        data.fingerprint,
        TrainingSet.of(records(), [1, 0, 2]).fingerprint,
        data.after(step).fingerprint,
        data.after(step, "compact").fingerprint,
    ]
    assert again.fingerprint == data.fingerprint
    assert len(set(prints)) == len(prints)


def test_duplicates_are_records_with_equal_features_whatever_their_label() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [5.0, 6.0], [7.0, 8.0], [9.0, 9.0]])
    assert records(x).has_duplicate.tolist() == [True, False, True, False, False, False]


@pytest.mark.parametrize(
    ("x", "y", "complaint"),
    [
        (np.zeros((5, 2)), None, "5 rows of x but 6 labels"),
        (np.zeros(6), None, r"x: features must be of shape \(n, ...\), not \(6,\); give x\[:, None\]"),
        (np.full((6, 2), np.nan), None, 'x: row 0, feature 0 "a" is nan, not finite'),
        (np.where(np.arange(12).reshape(6, 2) == 5, np.inf, 0), None, 'x: row 2, feature 1 "b" is inf, not finite'),
        (np.full((6, 2), "red"), None, "x: their type is <U3"),
        (np.zeros((6, 2), dtype=complex), None, "x: their type is complex128"),
        (np.full((6, 2), 2**53 + 1), None, f"x: {2**53 + 1} is no float64"),
        (np.ma.array(np.zeros((6, 2)), mask=np.eye(6, 2, dtype=bool)), None, "x: some are masked"),
        (None, np.array([0, 1, 2, 0, 1, 0]), r"labels must lie in 0\.\.1, row 2 has 2"),
        (None, np.array([0, 1, -1, 0, 1, 0]), r"labels must lie in 0\.\.1, row 2 has -1"),
        (None, np.array([0, 1, 0.5, 0, 1, 0]), "y: 0.5 is no int64"),
        (None, np.array([0, 1, np.nan, 0, 1, 0]), "y: nan is no int64"),
        (
            None,
            np.array([0, 1, 1, 0, 1, 0], dtype=object),
            r"y: their type is object; convert them by .astype",
        ),
        (None, np.array(["no"] * 6), "y: their type is <U2"),
        (None, np.array([0, 1, 1, 0, 1, 0])[:, None], r"y: labels must be of shape \(n,\), not \(6, 1\); give y.ravel"),
        (None, np.eye(2)[[0, 1, 1, 0, 1, 0]], r"not \(6, 2\); give y.argmax\(axis=1\)"),
    ],
)
def test_records_that_are_wrong_are_refused_in_one_line_that_names_the_data_set(
    x: object, y: object, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        records(x, y)  # type: ignore[arg-type] # object for the parametrize table
    message = str(caught.value)
    assert message.startswith('data set "toy": ')
    assert "\n" not in message
    assert len(message) <= 300


@pytest.mark.parametrize("dtype", ["float64", "float32", "bool", "int8", "uint64", ">i4", ">f8"])
def test_labels_of_another_type_are_converted_where_none_changes(dtype: str) -> None:
    plain = records()
    other = records(y=plain.y.astype(dtype))
    assert other.y.dtype == np.int64
    assert other.sha256 == plain.sha256


@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8", ">f8"])
def test_features_of_another_type_are_converted_where_none_changes(dtype: str) -> None:
    plain = records()
    other = records(plain.x.astype(dtype))
    assert other.x.dtype == np.float64
    assert other.x.dtype.isnative
    assert other.sha256 == plain.sha256


@pytest.mark.parametrize("n_classes", [0, -1, 2.0, True, "2"])
def test_a_number_of_classes_that_is_none_is_refused(n_classes: Any) -> None:
    with pytest.raises(ValueError, match='data set "toy": n_classes must be a positive integer'):
        replace(records(), n_classes=n_classes)


@pytest.mark.parametrize(
    ("bounds", "complaint"),
    [
        ((0, 10), r'x: row 5, feature 1 "b" is 11.0, beyond its bounds 0 and 10'),
        ((0.5, 11), r'x: row 0, feature 0 "a" is 0.0, beyond its bounds 0.5 and 11'),
        ((11, 0), "bounds must be two finite numbers, the first the smaller, got"),
        ((0, 0), "bounds must be two finite numbers"),
        ((0, np.inf), "bounds must be two finite numbers"),
        ((np.nan, 20), "bounds must be two finite numbers"),
        ((0, 5, 11), "bounds must be two finite numbers"),
        (("low", "high"), "bounds must be two finite numbers"),
        (11, "bounds must be two finite numbers"),
    ],
)
def test_features_lie_within_the_bounds_that_a_data_set_declares(bounds: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=f'data set "toy": {complaint}') as caught:
        replace(records(), bounds=bounds)
    assert len(str(caught.value)) <= 300


def test_bounds_are_no_content() -> None:
    bounded = replace(records(), bounds=(0, 11))
    assert (bounded.bounds, records().bounds) == ((0, 11), None)
    assert bounded.sha256 == records().sha256


@pytest.mark.parametrize("ids", [np.array([0.5]), np.array([[1]]), np.array(["1"]), np.array([True, False]) * 0.5])
def test_record_ids_that_are_no_integers_are_refused(ids: Any) -> None:
    for made in (lambda: Step(ids), lambda: Step(np.array([1]), ids), lambda: TrainingSet.of(records(), ids)):
        with pytest.raises(ValueError, match="record ids must be"):
            made()


def test_the_checksum_follows_the_content() -> None:
    assert records().sha256 == records().sha256
    assert records().sha256 != records(y=np.array([1, 1, 0, 1, 0, 1])).sha256


@pytest.mark.parametrize("few", [0, 1, 19, 20, 40])
@pytest.mark.parametrize("n", [0, 1, 500])
def test_who_is_among_a_few_is_the_same_however_many_they_are(n: int, few: int) -> None:
    rng = np.random.default_rng(n + few)
    ids, wanted = rng.permutation(600)[:n], rng.permutation(600)[:few]
    np.testing.assert_array_equal(among(ids, wanted), [each in set(wanted.tolist()) for each in ids])


@pytest.mark.parametrize("name", ["", "scikit-learn/breast-cancer"])
def test_a_name_that_no_draw_can_be_named_by_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^name: must not be empty or hold a slash, .*, got "):
        Records(name, np.zeros((2, 1)), np.array([0, 1]), 2, Provenance("made up", "CC0"))


@pytest.mark.parametrize("mark", ["mislabelled", "canary"])
@pytest.mark.parametrize("wrong", [np.zeros(5, dtype=np.bool_), np.zeros(6), [True] * 7])
def test_a_mark_is_told_of_each_record(mark: str, wrong: Any) -> None:
    with pytest.raises(ValueError, match=f'data set "toy": {mark} must be true or false for each of 6 records'):
        replace(records(), **{mark: wrong})


def test_marks_are_part_of_the_content() -> None:
    none, one = np.zeros(6, dtype=np.bool_), np.arange(6) == 2
    marks: list[dict[str, Any]] = [{}, *({name: each} for name in ("mislabelled", "canary") for each in (none, one))]
    assert len({replace(records(), **each).sha256 for each in marks}) == 5


def test_canaries_are_left_out_in_order() -> None:
    ids = np.array([5, 2, 0, 4])
    assert records().without_canaries(ids).tolist() == [5, 2, 0, 4]
    assert replace(records(), canary=np.arange(6) % 5 == 0).without_canaries(ids).tolist() == [2, 4]
