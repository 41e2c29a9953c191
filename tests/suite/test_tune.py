"""The key ``tune``: what it takes, what a range and a list give, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.errors import UserError
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import Suite
from unlearnbench.suite.ranges import Choice, Range, Tuning
from unlearnbench.suite.yaml import dump_yaml

SPACE = {"learning_rate": {"low": 1e-4, "high": 1.0, "log": True}, "epochs": {"low": 1, "high": 4}, "k": [1, 3]}
PLAIN: dict[str, Any] = {
    "suite": "tiny",
    "version": 1,
    "datasets": ["breast-cancer"],
    "models": ["decision-tree"],
    "unlearners": ["retrain"],
    "attacks": ["sorted-diff"],
}


def load(folder: Path, tune: object) -> Suite:
    path = folder / "tiny.yaml"
    path.write_text(json.dumps({**PLAIN, "tune": tune}))
    return load_suite(path)[0]


def test_a_search_space_is_read_and_written_again(tmp_path: Path) -> None:
    suite = load(tmp_path, {"trials": 8, "space": SPACE})
    assert suite.tune == Tuning(
        {"learning_rate": Range(1e-4, 1.0, True), "epochs": Range(1, 4), "k": Choice((1, 3))}, trials=8
    )
    path = tmp_path / "tiny.yaml"
    path.write_text(dump_yaml(suite.to_dict()))
    assert load_suite(path)[0] == suite


WRONG: list[tuple[object, str]] = [
    ([], "must be a mapping"),
    ({}, 'the key "space" is missing'),
    ({"space": {}}, "must name at least one parameter"),
    ({"space": SPACE, "trails": 3}, 'unknown key "trails"; did you mean "trials"?'),
    ({"space": SPACE, "trials": 0}, "must be an integer from 1"),
    ({"space": SPACE, "originals": True}, "must be an integer from 1"),
    ({"space": SPACE, "requests": 0}, "must be an integer from 1"),
    ({"space": SPACE, "passes": 0}, "must be a number above 0, got 0"),
    ({"space": SPACE, "passes": "many"}, "must be a number"),
    ({"space": {"k": []}}, "must list at least one"),
    ({"space": {"k": [[1]]}}, "must be a number, a word, or true or false"),
    ({"space": {"k": 3}}, "must be a mapping"),
    ({"space": {"k": {"low": 1}}}, 'the key "high" is missing'),
    ({"space": {"k": {"low": "1", "high": 2}}}, "must be a number"),
    ({"space": {"k": {"low": 2, "high": 1}}}, "low must be below high, both finite, got 2 and 1"),
    ({"space": {"k": {"low": 1, "high": 1}}}, "low must be below high"),
    ({"space": {"k": {"low": 0, "high": 1, "log": True}}}, "must be above 0 on a logarithmic scale, got 0"),
    ({"space": {"k": {"low": 1, "high": 2, "log": "yes"}}}, "must be true or false"),
]


@pytest.mark.parametrize(("tune", "message"), WRONG)
def test_what_is_wrong_is_told_with_its_place(tune: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        load(tmp_path, tune)
    assert message in str(refused.value)
    assert "tiny.yaml:1:" in str(refused.value)
    assert len(str(refused.value)) <= 300


SHARES = st.floats(0, 1, exclude_max=True)


@given(low=st.integers(-50, 50), extent=st.integers(1, 50), share=SHARES)
def test_a_range_of_integers_gives_integers_within_it(low: int, extent: int, share: float) -> None:
    value = Range(low, low + extent).at(share)
    assert isinstance(value, int)
    assert low <= value <= low + extent


@given(low=st.integers(1, 50), extent=st.integers(1, 500), share=SHARES)
def test_so_it_does_on_a_logarithmic_scale(low: int, extent: int, share: float) -> None:
    value = Range(low, low + extent, log=True).at(share)
    assert isinstance(value, int)
    assert low <= value <= low + extent


@given(low=st.floats(1e-6, 1e3), extent=st.floats(1e-3, 1e3), share=SHARES, log=st.booleans())
def test_a_range_of_numbers_gives_numbers_within_it(low: float, extent: float, share: float, log: bool) -> None:
    value = Range(low, low + extent, log).at(share)
    assert isinstance(value, float)
    assert low * (1 - 1e-12) <= value <= (low + extent) * (1 + 1e-12)


def test_the_middle_of_a_range_is_that_of_its_scale() -> None:
    assert Range(0.0, 2.0).at(0.5) == 1.0
    assert math.isclose(float(str(Range(1e-4, 1.0, log=True).at(0.5))), 1e-2)
    assert [Range(1, 4).at(share) for share in (0.0, 0.25, 0.5, 0.99)] == [1, 2, 3, 4]
    assert [Choice(("a", "b")).at(share) for share in (0.0, 0.49, 0.5, 0.99)] == ["a", "a", "b", "b"]
