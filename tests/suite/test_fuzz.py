"""Hostile suites, records, and texts of options: whatever they hold, they are read or refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzzing import TIMES
from unlearnbench.core.errors import UserError
from unlearnbench.hooks.records import RECORDS, Kind
from unlearnbench.hooks.registry import Registry, load_registry
from unlearnbench.run.executors import choose_executor
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.selection import Selection
from unlearnbench.suite.keys import KEYS
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.yaml import load_yaml

SUITE: dict[str, Any] = {
    "suite": "mine",
    "version": 1,
    "datasets": ["breast-cancer"],
    "models": ["decision-tree"],
    "unlearners": ["retrain"],
    "attacks": ["sorted-diff"],
}
HOSTILE = (
    "a: &x [1]\nb: *x",
    "a: !!python/object/apply:os.system [id]",
    "!<tag:yaml.org,2002:map> {a: 1}",
    "%YAML 1.2\n---\na: 1",
    "a: 1\n---\nb: 2",
    "<<: {a: 1}",
    "? [a]\n: 1",
    "a: " + "9" * 5000,
    "a: 1e999",
    "a: .nan",
    "a: -.inf",
    "a: 0777",
    "a: 1\na: 2",
    "[" * 3000 + "]" * 3000,
    "{a: " * 2000 + "}" * 2000,
    "- " * 2000 + "x",
    'a: "\\ud800"',
    'a: "\\U00110000"',
    "a: \x00",
    "\ufeffa: 1",
    "a:\tb: c",
    "\t- a",
    "a: 'b",
    "a: [b",
    "a: |\n b\n  c\n d",
    "...",
    "---",
    "",
    "a: @b",
    "a: `b`",
    "a: %b",
    "\u2028: 1",
    "a\u2028: \u202e",
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(min_value=10**25),
        st.floats(),
        st.text(max_size=20),
        st.sampled_from(["sorted-diff", "retrain", "adult", "single", "none", "auc", "mlp", "x" * 500, "../../x.py"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["name", "params", "shadow", "label", "episodes", "because", "x"]), inner),
    ),
    max_leaves=8,
)
QUIET = settings(max_examples=150 * TIMES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(discover=False)


def refused_in_one_line(action: Callable[[], object]) -> str:
    """Return what UserError an action raises, "" for none; every other exception is a failure of the test."""
    message = ""
    try:
        action()
    except UserError as error:
        message = str(error)
    assert message == "" or message.isprintable()
    assert len(message) <= 300
    return message


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:20]))
def test_hostile_yaml_is_read_or_refused_with_its_place(text: str) -> None:
    if message := refused_in_one_line(lambda: load_yaml(text, "mine.yaml")):
        assert message.startswith("mine.yaml:")


@QUIET
@given(st.text(st.sampled_from("abc:-[]{}&*!%@`'\"|>#?,. \n\t01\x00\u2028~"), max_size=60))
def test_any_text_is_read_as_yaml_or_refused(text: str) -> None:
    refused_in_one_line(lambda: load_yaml(text, "mine.yaml"))


@QUIET
@given(key=st.sampled_from(sorted(KEYS)), value=VALUES)
def test_any_value_at_any_key_of_a_suite_is_read_or_refused(
    key: str, value: Any, registry: Registry, tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(json.dumps({**SUITE, key: value}), encoding="utf-8")
    if message := refused_in_one_line(lambda: load_suite(path, registry)):
        assert "mine.yaml" in message


@QUIET
@given(st.lists(st.text(max_size=30), min_size=1, max_size=3), st.sampled_from(["", "attack=", "seed=", "=", "model"]))
def test_any_text_of_only_is_read_or_refused(texts: list[str], start: str) -> None:
    refused_in_one_line(lambda: Selection.parse([start + text for text in texts]))


@QUIET
@given(
    start=st.sampled_from(
        ["serial", "processes", "processes:", "serial:x=", "processes:workers=", "processes:memory=", ""]
    ),
    text=st.one_of(
        st.text(max_size=30), st.integers().map(str), st.sampled_from(["1e9", "NaN", "[]", "2,memory=", "=="])
    ),
)
def test_any_text_of_an_executor_is_read_or_refused(start: str, text: str, registry: Registry) -> None:
    refused_in_one_line(lambda: choose_executor(PluginInstances(registry), start + text))


TEXTS = ("name", "summary", "reference")


@QUIET
@given(st.sampled_from(sorted(RECORDS)), st.dictionaries(st.sampled_from([*TEXTS, "role", "revision"]), VALUES))
def test_a_record_holds_visible_lines_or_is_refused(kind: Kind, fields: dict[str, Any]) -> None:
    whole = {"name": "x", "summary": "X", "factory": "m:C", **fields}
    with suppress(ValueError):
        record = RECORDS[kind](**whole)
        texts = [getattr(record, name) for name in TEXTS]
        assert all(isinstance(text, str) and text.isprintable() for text in texts)
