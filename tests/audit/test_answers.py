"""What each column must hold, and what it means: the tests of reading.py and answers.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unlearnbench.audit.answers import Answers, read_answers
from unlearnbench.core.errors import UserError
from unlearnbench.core.scenarios import Role

Arrays = dict[str, Any]
Make = Callable[..., Arrays]
Save = Callable[..., Path]
Failure = Callable[[Arrays], str]


def with_value(arrays: Arrays, name: str, place: Any, value: object) -> Arrays:
    changed = np.array(arrays[name])
    changed[place] = value
    return {**arrays, name: changed}


@pytest.fixture
def failure(npz: Save) -> Callable[[Arrays], str]:
    def failure(arrays: Arrays) -> str:
        file = npz(arrays)
        with pytest.raises(UserError) as caught:
            read_answers(file)
        told = str(caught.value)
        assert told.startswith(f"{file}: ")
        assert "\n" not in told
        return told.removeprefix(f"{file}: ")

    return failure


def test_answers_become_observations_with_one_unlearned_version(arrays: Make, npz: Save) -> None:
    given = arrays()
    found = read_answers(npz(given))
    rows = found.rows
    assert np.allclose(np.exp(rows.before), given["before"])
    assert np.allclose(np.exp(rows.after[:, 0]), given["after"])
    assert (rows.label == given["label"]).all()
    assert (rows.versions == 1).all()
    assert (rows.member[given["role"] == "forgotten"] == [True, False]).all()
    assert (rows.member[given["role"] == "retained"] == [True, True]).all()
    assert (rows.member[given["role"] == "unseen"] == [False, False]).all()
    assert found.n_classes == 3
    assert [found.count(role) for role in (Role.FORGOTTEN, Role.UNSEEN, Role.RETAINED)] == [20, 120, 10]


def test_all_formats_give_the_same_answers(arrays: Make, npz: Save, as_csv: Save) -> None:
    given = {**arrays(), "original": np.arange(150) % 2, "record": np.arange(150)}
    one, other = read_answers(npz(given)), read_answers(as_csv(given))
    for name, values in vars(one.rows).items():
        assert np.array_equal(values, getattr(other.rows, name)), name
    assert np.array_equal(one.cluster, other.cluster)


def test_rows_of_a_role_stand_in_no_order_of_the_file(arrays: Make, npz: Save) -> None:
    rows = read_answers(npz(arrays())).rows
    unseen = rows.position[rows.role == Role.UNSEEN]
    assert sorted(unseen) == list(range(120))
    assert list(unseen) != sorted(unseen)


def test_probabilities_that_are_rounded_pass(arrays: Make, npz: Save) -> None:
    given = arrays()
    assert read_answers(npz({**given, "before": given["before"].round(3)})).count(Role.FORGOTTEN) == 20


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("total", [0.99, 1.0, 1.01])
@pytest.mark.parametrize("classes", [2, 3, 7, 100, 1000])
def test_a_sum_may_be_off_by_exactly_a_hundredth(
    total: float, classes: int, dtype: type[np.floating], arrays: Make, npz: Save
) -> None:
    given = arrays()
    rows = len(given["role"])
    largest = total - sum([0.001] * (classes - 1)) if classes <= 100 else total / classes
    row = np.array([largest, *[0.001 if classes <= 100 else largest] * (classes - 1)])
    answers = np.tile(row, (rows, 1)).astype(dtype)
    read_answers(npz({**given, "label": np.zeros(rows, dtype=int), "before": answers, "after": answers}))


@pytest.mark.parametrize("total", [0.9899, 1.0101])
def test_a_sum_that_is_off_by_more_is_refused(total: float, arrays: Make, failure: Failure) -> None:
    given = arrays()
    assert " sum to " in failure({**given, "before": total * given["before"]})


def test_without_labels_there_are_none(arrays: Make, npz: Save) -> None:
    given = arrays()
    del given["label"]
    found = read_answers(npz(given))
    assert not found.has_label
    assert not found.rows.label.any()


@pytest.mark.parametrize(
    ("name", "place", "value", "told"),
    [
        ("before", (3, 1), np.nan, "row 3: before_1 is nan; give a probability, or leave out the record"),
        ("after", (0, 2), np.inf, "row 0: after_2 is inf; give a probability, or leave out the record"),
        (
            "after",
            (2, slice(None)),
            [-np.inf, np.inf, 0],
            "row 2: after_0 is -inf; give a probability, or leave out the",
        ),
        ("after", (5, 0), -0.25, "row 5: after_0 is -0.25, negative; give probabilities, not logits"),
        (
            "before",
            (7, slice(None)),
            0.5,
            "row 7: before sum to 1.5; the probabilities of all classes must sum to 1, to",
        ),
        ("before", (7, slice(None)), [50, 25, 25], "row 7: before are per cent, of sum 100; divide them by 100"),
        (
            "before",
            (7, slice(None)),
            np.log([0.5, 0.25, 0.25]),
            "row 7: before are logarithms of probabilities; give the probabilities: their exponentials",
        ),
        ("label", 2, 3, "row 2: label '3' must be the number of a class, 0 to 2"),
        ("label", 2, -1, "row 2: label '-1' must be the number of a class, 0 to 2"),
        ("role", 4, "forgoten", "row 4: role 'forgoten'; did you mean \"forgotten\"?"),
        ("role", 4, "other", "row 4: role 'other'; known: forgotten, population, retained, unseen"),
    ],
)
def test_a_wrong_value_is_told_with_its_row(
    name: str, place: Any, value: object, told: str, arrays: Make, failure: Failure
) -> None:
    assert failure(with_value(arrays(), name, place, value)).startswith(told)


@pytest.mark.parametrize("role", ["forgotten", "unseen"])
def test_forgotten_and_unseen_records_must_be_there(role: str, arrays: Make, failure: Failure) -> None:
    assert failure(arrays(**{role: 0})).startswith(f"has no row of role {role}; ")


@pytest.mark.parametrize("name", ["role", "before", "after"])
def test_a_column_that_is_missing_is_named(name: str, arrays: Make, failure: Failure) -> None:
    given = arrays()
    del given[name]
    assert failure(given) == f"lacks {name}; it needs {name}"


def test_a_missing_matrix_of_a_table_is_told_as_columns(arrays: Make, as_csv: Save) -> None:
    given = arrays()
    del given["after"]
    with pytest.raises(UserError, match=r"lacks after; it needs after_0, after_1, \.\.\., one a class$"):
        read_answers(as_csv(given))


def test_a_misspelt_column_is_not_passed_over(arrays: Make, failure: Failure) -> None:
    told = failure({**arrays(), "reqest": np.arange(150)})
    assert told == "has 'reqest', which is not a known column; did you mean \"request\"?"


@pytest.mark.parametrize("name", ["role", "label", "original", "request", "record"])
def test_a_column_of_another_length_is_told(name: str, arrays: Make, failure: Failure) -> None:
    told = failure({**arrays(), name: np.array(["unseen"] * 7)})
    assert told == f"{name} has shape (7,); it must have one entry for each of the 150 rows of before"


def test_both_matrices_must_be_of_one_size(arrays: Make, failure: Failure) -> None:
    given = arrays()
    told = failure({**given, "after": given["after"][1:]})
    assert told == "before is 150 rows of 3 classes and after 149 rows of 3 classes; they must be of one size"


@pytest.mark.parametrize("matrix", [np.ones(150), np.ones((150, 1)), np.full((150, 2), "a"), np.ones((2, 150, 3))])
def test_a_matrix_must_be_numbers_of_two_classes_or_more(matrix: object, arrays: Make, failure: Failure) -> None:
    told = failure({**arrays(), "before": matrix})
    assert told.startswith("before is ")
    assert told.endswith("it must be numbers (rows, classes), two classes or more")


@pytest.mark.parametrize("name", ["original", "record"])
def test_an_id_is_there_for_every_row_or_for_none(name: str, arrays: Make, failure: Failure) -> None:
    told = failure(with_value({**arrays(), name: np.arange(150)}, name, 6, -1))
    assert told == f"row 6: {name} is empty; give it in every row, or leave the column out"


def test_a_record_stands_once_a_pair_of_models(arrays: Make, failure: Failure) -> None:
    told = failure(with_value({**arrays(), "record": np.arange(150)}, "record", 30, 4))
    assert told == "row 30: record '4' is in row 4 too, for the same models"


def test_a_record_may_be_asked_of_several_originals(arrays: Make, npz: Save) -> None:
    halves = {name: np.concatenate([values, values]) for name, values in arrays().items()}
    ids = {"record": np.tile(np.arange(150), 2), "original": np.repeat(["a", "b"], 150)}
    found = read_answers(npz(halves | ids))
    assert found.originals == 2
    assert len(np.unique(found.rows.record)) == 150


def _clusters(answers: Answers, role: Role) -> int:
    return len(np.unique(answers.cluster[answers.rows.role == role]))


class TestWhatAnIntervalTakesForOne:
    def test_with_nothing_told_every_record_stands_by_itself(self, arrays: Make, npz: Save) -> None:
        found = read_answers(npz(arrays()))
        assert len(np.unique(found.cluster)) == 150
        assert (found.requests, found.originals, found.by_original) == (20, 1, False)
        assert not found.rows.request.any()

    def test_records_deleted_together_are_one_request(self, arrays: Make, npz: Save) -> None:
        request = np.where(np.arange(150) < 20, np.arange(150) // 4, -1)
        found = read_answers(npz({**arrays(), "request": request}))
        assert found.requests == _clusters(found, Role.FORGOTTEN) == 5
        assert _clusters(found, Role.UNSEEN) == 120
        assert not found.rows.request.any()  # one unlearned model has served all

    def test_requests_with_unseen_records_of_their_own_have_models_of_their_own(self, arrays: Make, npz: Save) -> None:
        found = read_answers(npz({**arrays(), "request": np.arange(150) % 10}))
        assert found.requests == _clusters(found, Role.FORGOTTEN) == _clusters(found, Role.UNSEEN) == 10
        assert len(np.unique(found.rows.request)) == 10

    def test_the_same_request_id_of_two_originals_is_two_requests(self, arrays: Make, npz: Save) -> None:
        ids = {"request": np.arange(150) % 5, "original": np.arange(150) // 5 % 2}
        assert read_answers(npz(arrays() | ids)).requests == 10

    @pytest.mark.parametrize(("originals", "by_original"), [(4, False), (5, True)])
    def test_five_originals_are_a_sample(self, originals: int, by_original: bool, arrays: Make, npz: Save) -> None:
        found = read_answers(npz({**arrays(), "original": np.arange(150) % originals}))
        assert found.originals == originals
        assert found.by_original == by_original
        assert np.array_equal(found.cluster, found.rows.episode) == by_original

    def test_ids_may_be_numbers_or_text(self, arrays: Make, npz: Save) -> None:
        number = np.arange(150) % 5
        floats, words = number.astype(float), np.array([f"model {n}" for n in number])
        found = [read_answers(npz({**arrays(), "original": ids})).cluster for ids in (number, floats, words)]
        assert np.array_equal(found[0], found[1])
        assert np.array_equal(found[0], found[2])

    def test_a_forgotten_record_without_a_request_is_refused(self, arrays: Make, failure: Failure) -> None:
        told = failure({**arrays(), "request": np.where(np.arange(150) < 10, 1, -1)})
        assert told == "row 10: a forgotten record has no request; give each one, or leave the column out"

    def test_unseen_records_have_all_a_request_or_none(self, arrays: Make, failure: Failure) -> None:
        told = failure({**arrays(), "request": np.where(np.arange(150) < 100, 1, -1)})
        assert told == "row 100: this record has no request and others of its kind have; give all of them one, or none"

    def test_a_request_of_its_own_model_needs_unseen_records(self, arrays: Make, failure: Failure) -> None:
        told = failure({**arrays(), "request": np.where(np.arange(150) == 3, "lonely", "other")})
        assert told == "row 3: request 'lonely' has no unseen records to compare its forgotten ones with"


@pytest.mark.parametrize("name", ["role", "label", "reqest", "request"])
def test_a_long_value_is_not_repeated_whole(name: str, arrays: Make, failure: Failure) -> None:
    values = np.array(["unseen"] * 150, dtype="U50000")
    values[:20] = "forgotten"
    values[7] = "x" * 50_000
    told = failure({**arrays(), **({name: values} if name != "reqest" else {"x" * 5_000: values})})
    assert len(told) < 300


@pytest.mark.parametrize("label", ["2", "2.0", " 2 ", "2.", "+2"])
def test_a_label_may_be_written_as_a_decimal(label: str, arrays: Make, npz: Save) -> None:
    found = read_answers(npz({**arrays(), "label": np.array([label] * 150)}))
    assert (found.rows.label == 2).all()
