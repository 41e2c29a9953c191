"""The key ``tune``: what it takes, what a range and a list give, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.core.ranges import Choice, Range
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import Suite
from unlearnbench.suite.tuning import Tuning
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
    plain = load(tmp_path, {"knobs": False, "space": SPACE})
    assert plain.tune
    assert not plain.tune.knobs


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
    ({"space": SPACE, "knobs": "all"}, "must be true or false"),
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
