"""Records of the population in a file of answers: how they are laid out, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.audit.conftest import softmax
from unlearnbench.audit.answers import read_answers
from unlearnbench.core.errors import UserError
from unlearnbench.core.scenarios import Role

Arrays = dict[str, Any]
Save = Callable[..., Path]

PAIRS, SIZE = 2, 6


def given(by: str = "original") -> Arrays:
    """Two pairs of models, each asked about five deleted records, five unseen ones and the same population."""
    role = np.tile(np.repeat(["forgotten", "unseen", "population"], [5, 5, SIZE]), PAIRS)
    rng, n = np.random.default_rng(0), 10 + SIZE
    record = np.concatenate(
        [[*(f"{pair}-{k}" for k in range(10)), *(f"p{k}" for k in range(SIZE))] for pair in range(PAIRS)]
    )
    before, after = (softmax(rng.normal(size=(PAIRS * n, 3))) for _ in range(2))
    pair = np.repeat(np.arange(PAIRS), n)
    return {
        "role": role,
        "record": record,
        "label": np.arange(PAIRS * n) % 3,
        by: pair,
        "before": before,
        "after": after,
    }


@pytest.mark.parametrize("by", ["original", "request"])
def test_every_pair_of_models_answers_about_the_same_records_in_one_order(by: str, npz: Save) -> None:
    arrays = given(by)
    found = read_answers(npz(arrays))
    asked = found.population
    assert found.population_size == SIZE
    assert (found.count(Role.FORGOTTEN), found.count(Role.UNSEEN)) == (10, 10)
    names = [found.name(record) for record in asked.record]
    assert names[:SIZE] == names[SIZE:]
    assert sorted(names[:SIZE]) == [f"p{k}" for k in range(SIZE)]
    assert getattr(asked, {"original": "episode", "request": "request"}[by]).tolist() == [0] * SIZE + [1] * SIZE
    for row, name in enumerate(names):
        (place,) = np.flatnonzero((arrays["record"] == name) & (arrays[by] == row // SIZE))
        assert np.exp(asked.before[row]) == pytest.approx(arrays["before"][place])
        assert np.exp(asked.after[row, 0]) == pytest.approx(arrays["after"][place])


def test_one_pair_of_models_needs_no_ids(npz: Save) -> None:
    arrays = {name: values[: 10 + SIZE] for name, values in given().items() if name != "record"}
    assert read_answers(npz(arrays)).population_size == SIZE


def test_a_file_without_a_population_has_none(npz: Save) -> None:
    arrays = given()
    found = read_answers(npz({name: values[arrays["role"] != "population"] for name, values in arrays.items()}))
    assert (found.population_size, len(found.population)) == (0, 0)


def lacking(arrays: Arrays) -> Arrays:
    return {name: values[:-1] for name, values in arrays.items()}


def queried(arrays: Arrays) -> Arrays:
    return {**arrays, "record": np.where(arrays["record"] == "p2", "0-7", arrays["record"])}


def queried_of_others(arrays: Arrays) -> Arrays:
    own = (arrays["record"] == "p2") & (arrays["original"] == 1)
    return {**arrays, "role": np.where(own, "unseen", arrays["role"])}


def without_ids(arrays: Arrays) -> Arrays:
    return {name: values for name, values in arrays.items() if name != "record"}


def twice(arrays: Arrays) -> Arrays:
    return {**arrays, "record": np.where(arrays["record"] == "p2", "p1", arrays["record"])}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lacking,
            "row 16: its models do not answer about record 'p5' of the population; all must answer about all of it",
        ),
        (queried, "record '0-7' is in row 7 too, for the same models"),
        (queried_of_others, "row 28: record 'p2' is in the population too; give it one of these roles only"),
        (without_ids, "needs the column record: several pairs of models answer about the population"),
        (twice, "record 'p1' is in row 11 too, for the same models"),
    ],
)
def test_a_population_that_does_not_fit_is_refused(change: Callable[[Arrays], Arrays], told: str, npz: Save) -> None:
    with pytest.raises(UserError) as caught:
        read_answers(npz(change(given())))
    assert told in str(caught.value)


def test_empty_requests_hold_for_the_population_as_for_unseen_records(npz: Save) -> None:
    arrays = given("request")
    request = np.where(arrays["role"] == "population", "", arrays["request"].astype(str))
    with pytest.raises(UserError, match="this record has no request and others of its kind have"):
        read_answers(npz({**arrays, "request": request}))
