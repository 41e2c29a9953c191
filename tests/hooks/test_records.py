from __future__ import annotations

import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.ranges import Range
from unlearnbench.hooks.records import RECORDS, AttackPlugin, DatasetPlugin, DefensePlugin, Plugin, UnlearnerPlugin

WORD = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
LATER_WORD = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)


def attack(**fields: Any) -> AttackPlugin:
    return AttackPlugin(**{"name": "mine", "summary": "An attack.", "factory": "a.b:C", **fields})


@given(WORD, st.lists(LATER_WORD, max_size=3))
def test_words_joined_by_hyphens_are_a_name(first: str, others: list[str]) -> None:
    name = "-".join([first, *others])
    assert attack(name=name).name == name


@given(st.text(alphabet=string.ascii_letters + string.digits + "-_. \n", max_size=8))
def test_a_name_is_taken_exactly_if_it_follows_the_rule(name: str) -> None:
    if re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*").fullmatch(name):
        assert attack(name=name).name == name
    else:
        with pytest.raises(ValueError, match="joined by hyphens"):
            attack(name=name)


@pytest.mark.parametrize("name", ["", "Sorted-Diff", "sorted_diff", "-diff", "diff-", "a--b", "1st", "sorted-diff\n"])
def test_a_name_that_breaks_the_rule_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="joined by hyphens"):
        attack(name=name)


@pytest.mark.parametrize("text", [None, 3, ["x"], "two\nlines", "\x1b[31mred", "\u202eabc", "a\u2028b"])
@pytest.mark.parametrize("field", ["name", "summary", "reference"])
def test_texts_of_a_record_are_visible_lines(field: str, text: object) -> None:
    with pytest.raises(ValueError, match=field):
        attack(**{field: text})
    with pytest.raises(ValueError, match="licence must be one line of text"):
        DatasetPlugin(name="mine", summary="Data.", factory="a.b:C", licence=text)  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize("summary", ["", "  ", "two\nlines"])
def test_a_summary_is_one_line_of_text(summary: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        attack(summary=summary)


@pytest.mark.parametrize("factory", ["Class", "module.Class", "a b:C", "a.b:", ":C", "a.b:C.d", "a..b:C", "a.1b:C"])
def test_a_factory_names_a_module_and_a_class(factory: str) -> None:
    with pytest.raises(ValueError, match="must look like"):
        attack(factory=factory)


def test_a_factory_may_be_the_class_itself() -> None:
    assert attack(factory=Plugin).factory is Plugin


@pytest.mark.parametrize("revision", [0, -1, "1", 1.0, True])
def test_a_revision_counts_from_one(revision: object) -> None:
    with pytest.raises(ValueError, match="revision"):
        attack(revision=revision)


def test_what_an_adversary_sees_is_one_of_a_few_words() -> None:
    with pytest.raises(ValueError, match="'both', 'original', 'unlearned', 'none'"):
        attack(versions="bot")
    with pytest.raises(ValueError, match="'posteriors', 'labels'"):
        attack(answers="label")
    with pytest.raises(ValueError, match="'release'"):
        DefensePlugin(name="mine", summary="A defense.", factory="a.b:C", stage="later")  # type: ignore[arg-type]  # no such stage
    with pytest.raises(ValueError, match="'forget-set'"):
        UnlearnerPlugin(name="mine", summary="A method.", factory="a.b:C", sees=("forget",))  # type: ignore[arg-type]  # no such part


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"tests_sample": True, "versions": "none"}, "tests_sample is for a control that queries no model"),
        ({"tests_sample": True, "role": "control"}, "tests_sample is for a control that queries no model"),
        ({"knows_truth": True, "role": "baseline"}, "knows_truth is for a control"),
    ],
)
def test_only_a_control_may_test_the_sample_or_know_the_truth(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        attack(**fields)
    attack(**{**fields, "role": "control", "versions": "none"})


def test_only_a_control_may_delete_nothing() -> None:
    about = {"name": "x", "summary": "X.", "factory": "x:X", "deletes_nothing": True}
    with pytest.raises(ValueError, match="deletes_nothing is for a control"):
        UnlearnerPlugin(**about)  # type: ignore[arg-type]  # fields by name
    assert UnlearnerPlugin(**about, role="control").deletes_nothing  # type: ignore[arg-type]  # fields by name


ONE = Range(0.0, 1.0)


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        (dict.fromkeys("abcd", ONE), "x: knobs must be 3 at most, got 4"),
        ({"a": (0, 1)}, r"x: knob 'a' must be a Range or a Choice, got \(0, 1\)"),
    ],
)
def test_an_unlearner_has_three_knobs_at_most_each_with_its_values(knobs: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        UnlearnerPlugin(name="x", summary="X.", factory="x:X", knobs=knobs)
    assert hash(UnlearnerPlugin(name="x", summary="X.", factory="x:X", knobs=dict.fromkeys("abc", ONE)))


def test_every_kind_has_its_record() -> None:
    assert all(record.kind == kind for kind, record in RECORDS.items())
