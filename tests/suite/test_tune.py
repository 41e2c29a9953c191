"""The keys ``tune`` and ``trials``: what they take, what a range and a list give, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.core.ranges import Choice, Range
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import Suite
from unlearnbench.suite.tuning import TrialRecord, Tuning
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


def load(folder: Path, tune: object, key: str = "tune") -> Suite:
    path = folder / "tiny.yaml"
    path.write_text(json.dumps({**PLAIN, key: tune}))
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


def test_trials_are_read_and_written_again(tmp_path: Path) -> None:
    told: dict[str, Any] = {"unlearner": "sisa(shards=3)", "trial": 2, "values": {"rate": 1e-05, "variant": "mixed"}}
    trials = [told, {**told, "trial": 3, "objective": 0.125, "chosen": True}, {**told, "reason": "it broke: twice"}]
    suite = load(tmp_path, trials, "trials")
    assert suite.trials[0] == TrialRecord("sisa(shards=3)", 2, {"rate": 1e-05, "variant": "mixed"})
    assert (suite.trials[1].objective, suite.trials[1].chosen) == (0.125, True)
    assert suite.trials[2].reason == "it broke: twice"
    assert [trial.to_dict() for trial in suite.trials] == trials
    path = tmp_path / "tiny.yaml"
    path.write_text(dump_yaml(suite.to_dict()))
    assert load_suite(path)[0].trials == suite.trials


TRIAL: dict[str, object] = {"unlearner": "sisa", "trial": 1, "values": {"shards": 3}}
WRONG_TRIALS: list[tuple[object, str]] = [
    ([], "must list at least one of trials"),
    ([3], "must be a mapping"),
    ([{"unlearner": "sisa"}], 'the key "trial" is missing'),
    ([{**TRIAL, "value": {}}], 'unknown key "value"; did you mean "values"?'),
    ([{**TRIAL, "unlearner": ""}], "must be text"),
    ([{**TRIAL, "trial": 0}], "must be an integer from 1"),
    ([{**TRIAL, "values": [3]}], "must be a mapping"),
    ([{**TRIAL, "values": {"shards": [3]}}], "must be a number, a word, or true or false"),
    ([{**TRIAL, "objective": "low"}], "must be a number"),
    ([{**TRIAL, "objective": 1.5}], "must be a number from 0 to 1, got 1.5"),
    ([{**TRIAL, "chosen": "yes"}], "must be true or false"),
    ([{**TRIAL, "reason": " "}], "must be text"),
]


@pytest.mark.parametrize(("trials", "message"), WRONG_TRIALS)
def test_what_is_wrong_with_a_trial_is_told_with_its_place(trials: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        load(tmp_path, trials, "trials")
    assert message in str(refused.value)
    assert "tiny.yaml:1:" in str(refused.value)
