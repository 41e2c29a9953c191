"""Suites that bring plug-ins of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.registry import Registry, load_registry
from unlearnbench.suite.load import load_suite

PLUGIN = """\
from dataclasses import dataclass

from unlearnbench.hooks import hookimpl
from unlearnbench.hooks.records import AttackPlugin


@dataclass(frozen=True)
class Hunch:
    strength: float = 1.0


@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="NAME", summary="Has a hunch.", factory=Hunch)
"""

SUITE = """\
suite: mine
version: 1
datasets: [adult]
models: [decision-tree]
unlearners: [retrain]
attacks: [{name: hunch, params: {strength: 2}}]
metrics: [auc]
plugins: [./methods/hunch.py]
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "methods").mkdir()
    (tmp_path / "methods" / "hunch.py").write_text(PLUGIN.replace("NAME", "hunch"))
    path = tmp_path / "mine.yaml"
    path.write_text(SUITE)
    return path


def test_a_suite_finds_its_plugin_files_beside_itself(suite: Path) -> None:
    loaded, registry = load_suite(suite, run_plugin_files=True)
    assert loaded.attacks[0].label == "hunch(strength=2.0)"
    assert loaded.plugins == ("methods/hunch.py",)
    assert loaded.plugin_files == (suite.parent / "methods" / "hunch.py",)
    assert registry.get("attack", "hunch").source.path == str(loaded.plugin_files[0])


def test_a_file_that_is_also_given_by_hand_is_loaded_once(suite: Path) -> None:
    given = [suite.parent / "methods" / "hunch.py"]
    assert load_suite(suite, plugin_files=given, run_plugin_files=True)[0].attacks[0].name == "hunch"


def test_a_file_that_is_given_by_hand_is_known_without_running_those_of_the_suite(suite: Path) -> None:
    given = [suite.parent / "methods" / ".." / "methods" / "hunch.py"]
    loaded, registry = load_suite(suite, plugin_files=given)
    assert loaded.attacks[0].name == "hunch"
    assert registry.broken == ()


def test_reading_a_suite_executes_none_of_its_files(suite: Path) -> None:
    (suite.parent / "methods" / "hunch.py").write_text("open('executed', 'w').close()\n" + PLUGIN)
    with pytest.raises(UserError) as caught:
        load_suite(suite)
    assert str(caught.value).startswith(f'{suite}:6:18: unknown attack "hunch"')
    assert "--run-plugin-files" in str(caught.value)
    suite.write_text(SUITE.replace("{name: hunch, params: {strength: 2}}", "classical"))
    assert load_suite(suite)[0].plugins == ("methods/hunch.py",), "a suite without plug-ins of its files is read"
    assert not list(suite.parent.rglob("executed"))


def test_a_plugin_file_may_lie_anywhere_below_or_above_the_suite(suite: Path, tmp_path: Path) -> None:
    (tmp_path / "suites").mkdir()
    moved = suite.rename(tmp_path / "suites" / suite.name)
    moved.write_text(SUITE.replace("./methods", "../methods"))
    assert load_suite(moved, run_plugin_files=True)[0].plugin_files == (tmp_path / "methods" / "hunch.py",)


def test_a_given_registry_is_used_as_it_is(suite: Path, registry: Registry) -> None:
    with pytest.raises(UserError, match=r'mine\.yaml:6:18: unknown attack "hunch"'):
        load_suite(suite, registry)
    whole = load_registry([suite.parent / "methods" / "hunch.py"])
    assert load_suite(suite, whole)[1] is whole


def test_a_plugin_that_is_disabled_is_unknown(suite: Path) -> None:
    with pytest.raises(UserError, match=r'mine\.yaml:6:18: unknown attack "hunch"'):
        load_suite(suite, disabled=["attack:hunch"], run_plugin_files=True)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1 +", "invalid syntax"),
        ("raise RuntimeError('out of order')", "out of order"),
        ("", "no hook"),
        (PLUGIN.replace("NAME", "classical"), 'attack "classical" is offered both by'),
    ],
)
def test_a_wrong_plugin_file_is_reported_where_the_suite_names_it(suite: Path, code: str, message: str) -> None:
    (suite.parent / "methods" / "hunch.py").write_text(code)
    with pytest.raises(UserError, match=message) as caught:
        load_suite(suite, run_plugin_files=True)
    assert str(caught.value).startswith(f"{suite}:8:11: ")
    assert "methods/hunch.py" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_what_is_wrong_with_another_file_is_not_blamed_on_the_suite(suite: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text("1 +")
    with pytest.raises(UserError) as caught:
        load_suite(suite, plugin_files=[other])
    assert str(caught.value).startswith(f"{other}:1:")


def test_the_same_file_named_twice_is_refused(suite: Path) -> None:
    suite.write_text(SUITE.replace("[./methods/hunch.py]", "[./methods/hunch.py, methods/hunch.py]"))
    with pytest.raises(UserError, match=r"mine\.yaml:8:31: methods/hunch\.py is listed twice, first in line 8"):
        load_suite(suite)
