"""``unlearnbench suite``: what it prints and how it exits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from unlearnbench.cli.suite import app
from unlearnbench.core.errors import UserError
from unlearnbench.suite.find import standard_suites
from unlearnbench.suite.load import load_suite

SUITE = """\
suite: mine
version: 2
datasets: [adult]
models: [hunch-model]
unlearners: [none]
attacks: [hunch]
metrics: [hunch-metric]
seeds: [0, 1]
"""

PLUGIN = """\
from dataclasses import dataclass

from unlearnbench.hooks import hookimpl
from unlearnbench.hooks.records import AttackPlugin, MetricPlugin, ModelPlugin


@dataclass(frozen=True)
class Hunch:
    strength: float = 1.0


@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="hunch", summary="Has a hunch.", factory=Hunch)


@hookimpl
def unlearnbench_models():
    yield ModelPlugin(name="hunch-model", summary="Has a hunch.", factory=Hunch)


@hookimpl
def unlearnbench_metrics():
    yield MetricPlugin(name="hunch-metric", summary="Has a hunch.", factory=Hunch)
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(SUITE)
    return path


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "hunch.py"
    path.write_text(PLUGIN)
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_list_tells_the_standard_suites() -> None:
    result = run("list")
    assert result.exit_code == 0
    assert all(any(line.startswith(name) for line in result.output.splitlines()) for name in standard_suites())


def test_list_as_json() -> None:
    headers = json.loads(run("list", "--json").output)
    assert [header["suite"] for header in headers] == list(standard_suites())
    assert all(header["version"] >= 1 and header["description"] for header in headers)


def test_check_says_ok_and_how_many_cells_there_are(suite: Path, plugin: Path) -> None:
    result = run("check", suite, "--plugin-file", plugin)
    assert result.output == (
        "ok: mine: 2 cells (1 dataset x 1 model x 1 unlearner x 1 scenario x 1 defense x 1 attack x 2 seeds)\n"
    )
    assert result.exit_code == 0


def test_check_tells_every_suite_that_is_wrong_and_exits_with_2(suite: Path, plugin: Path, tmp_path: Path) -> None:
    bad, worse = tmp_path / "bad.yaml", tmp_path / "worse.yaml"
    bad.write_text(SUITE)
    worse.write_text("a: b: c")
    result = run("check", bad, suite, worse, "--plugin-file", plugin)
    assert result.exit_code == 2
    assert result.stdout.startswith("ok: mine: ")
    assert result.stderr.splitlines() == [
        f'error: {bad}:1:8: the suite is named "mine" but its file "bad.yaml"; they must be equal',
        f"error: {worse}:1:5: no key can be here; quote the text, indent the line as its neighbours are, or end the "
        "line above with a colon",
    ]


def test_check_without_the_plugin_file_tells_what_is_unknown(suite: Path) -> None:
    result = run("check", suite)
    assert result.exit_code == 2
    assert f'{suite}:4:10: unknown model "hunch-model"' in result.stderr


def test_check_takes_out_what_is_disabled(suite: Path, plugin: Path) -> None:
    result = run("check", suite, "--plugin-file", plugin, "--disable-plugin", "attack:hunch")
    assert f'{suite}:6:11: unknown attack "hunch"' in result.stderr


def test_show_prints_a_suite_file_that_loads_as_the_same_suite(suite: Path, plugin: Path, tmp_path: Path) -> None:
    result = run("show", suite, "--plugin-file", plugin)
    (tmp_path / "again").mkdir()
    again = tmp_path / "again" / "mine.yaml"
    again.write_text(result.output)
    assert load_suite(again, plugin_files=[plugin])[0] == load_suite(suite, plugin_files=[plugin])[0]


def test_show_as_json_has_everything_resolved(suite: Path, plugin: Path) -> None:
    shown = json.loads(run("show", suite, "--json", "--plugin-file", plugin).output)
    loaded = load_suite(suite, plugin_files=[plugin])[0]
    assert shown == {"sha256": loaded.sha256, "cells": 2, "suite": loaded.to_dict()}
    assert shown["suite"]["attacks"] == [{"name": "hunch", "params": {"strength": 1.0}}]


def test_show_of_an_unknown_name_is_a_users_error() -> None:
    result = run("show", "quickstrat")
    assert isinstance(result.exception, UserError)
    assert 'did you mean "quickstart"?' in str(result.exception)


def test_schema_knows_the_plugins_at_hand(plugin: Path) -> None:
    schema = json.loads(run("schema", "--plugin-file", plugin).output)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    names = schema["$defs"]["attack"]["anyOf"][0]["enum"]
    assert {"hunch", "classical"} <= set(names)


@pytest.mark.parametrize("verb", ["list", "check", "show", "schema"])
def test_every_verb_has_examples_in_its_help(verb: str) -> None:
    assert f"unlearnbench suite {verb}" in run(verb, "--help").output


def test_listing_suites_imports_nothing_heavy() -> None:
    code = (
        "import sys; from unlearnbench.cli.suite import app; app(['list'], standalone_mode=False);"
        "print([m for m in ('torch', 'sklearn', 'scipy', 'pandas', 'lightgbm') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert result.stdout.splitlines()[-1] == "[]"
