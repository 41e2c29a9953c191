"""Answers of reference models about the records of an audit: what is read, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.audit.conftest import Read
from tests.audit.reference_case import MODELS, Arrays, case
from unlearnbench.core.errors import UserError


def test_each_model_answers_about_the_records_in_the_order_of_the_target(read: Read) -> None:
    target, references = case()
    order = np.random.default_rng(1).permutation(len(references["model"]))
    answers, found = read(target, {name: values[order] for name, values in references.items()})
    assert found.count == MODELS
    models = references["model"][order]
    names = list(dict.fromkeys(models.tolist()))
    ids = dict(zip(answers.rows.record.tolist(), target["record"], strict=True))
    for rows, name in zip(found.models, names, strict=True):
        assert rows.record.tolist() == sorted(ids)
        for code, before, after, own in zip(rows.record, rows.before, rows.after[:, 0], rows.member[:, 0], strict=True):
            (place,) = np.flatnonzero((references["record"] == ids[code]) & (references["model"] == name))
            assert np.exp(before) == pytest.approx(references["before"][place])
            assert np.exp(after) == pytest.approx(references["after"][place])
            assert own == (references["member"][place] == "in")


def test_answers_about_other_records_are_passed_over(read: Read) -> None:
    target, references = case()
    fewer = {name: values[:100] for name, values in target.items()}
    assert len(read(fewer, references)[1].models[0]) == 100


def changed(name: str, row: int, value: Any) -> Callable[[Arrays, Arrays], None]:
    def change(_: Arrays, references: Arrays) -> None:
        references[name] = references[name].astype(object if isinstance(value, str) else None)
        references[name][row] = value
        references[name] = references[name].astype(str) if isinstance(value, str) else references[name]

    return change


def without(side: int, name: str) -> Callable[[Arrays, Arrays], None]:
    return lambda *both: both[side].pop(name)


def all_out(_: Arrays, references: Arrays) -> None:
    references["member"][:] = "out"


def of_others(_: Arrays, references: Arrays) -> None:
    references["record"] = np.char.add("x", references["record"])


def a_model_of_one_answer(_: Arrays, references: Arrays) -> None:
    references["model"][0] = MODELS


def a_member_of_the_population(target: Arrays, references: Arrays) -> None:
    target["role"] = np.where(target["record"] == references["record"][0], "population", target["role"])
    references["member"][0] = "in"


def two_classes(_: Arrays, references: Arrays) -> None:
    for name in ("before", "after"):
        references[name] = np.tile([0.5, 0.5], (len(references[name]), 1))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (changed("member", 3, "maybe"), "row 3: member 'maybe' must be in, if the model was trained on the record, or"),
        (changed("model", 1, 0), "row 1: model '0' answers about record"),
        (of_others, "has no answer about a record of answers.npz"),
        (
            all_out,
            "judges none of 30 forgotten records: all 8 models answer about 30 of them, and 2 must be trained on a",
        ),
        (a_model_of_one_answer, "judges none of 30 forgotten records: all 9 models answer about 0 of them"),
        (a_member_of_the_population, "row 0: its record is of the population, which no model may be trained on"),
        (without(1, "member"), "lacks member"),
        (without(0, "label"), "needs the columns record and label in answers.npz"),
        (without(0, "record"), "needs the columns record and label in answers.npz"),
        (two_classes, "has 2 classes, answers.npz has 3"),
        (changed("after", 5, 9.0), "row 5: after sum to 27"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(change: Callable[[Arrays, Arrays], None], told: str, read: Read) -> None:
    both = case()
    change(*both)
    with pytest.raises(UserError) as caught:
        read(*both)
    assert told in str(caught.value)
    assert "references.npz" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_column_is_refused(read: Read) -> None:
    target, references = case()
    with pytest.raises(UserError, match="has 'models', which is not a known column; did you mean"):
        read(target, {**references, "models": references["model"]})
