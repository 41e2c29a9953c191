"""Every template is a package that installs, passes its own tests and the kit, as it stands."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import unlearnbench
from unlearnbench import UserError
from unlearnbench.hooks.records import RECORDS
from unlearnbench.hooks.registry import load_registry
from unlearnbench.testing import findings_of
from unlearnbench.testing.scaffold import KINDS, write_package

ROOT = Path(__file__).parents[2]
QUICK = [kind for kind in KINDS if kind != "unlearner"]  # which is tried with every model


def python(*arguments: str, cwd: Path, path: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_is_a_template_for_every_kind_but_executors() -> None:
    assert set(KINDS) == RECORDS.keys() - {"executor"}


@pytest.mark.parametrize("kind", [pytest.param("unlearner", marks=pytest.mark.slow), *QUICK])
def test_the_kit_finds_nothing_in_it(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = write_package(kind, f"brand-new-{kind}", tmp_path)
    monkeypatch.syspath_prepend(package / "src")
    hooks = package / "src" / package.name.replace("-", "_") / "__init__.py"
    registry = load_registry([hooks], discover=False)
    (mine,) = (plugin for plugin in registry.plugins if plugin.source.kind == "file")
    assert str(mine) == f'{kind} "brand-new-{kind}"'
    assert findings_of(mine, registry) == []


@pytest.mark.slow
def test_all_install_beside_each_other_and_pass_their_own_tests(tmp_path: Path) -> None:
    packages = [write_package(kind, f"my-{kind}", tmp_path) for kind in KINDS]
    target = tmp_path / "installed"
    quiet = ("--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation")
    python("-m", "pip", "install", *quiet, "--target", str(target), *map(str, packages), cwd=tmp_path, path="")
    for package in packages:
        out = python("-m", "pytest", "-q", "-p", "no:xdist", cwd=package, path=f"{target}{os.pathsep}{ROOT}")
        assert "passed" in out


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_filled_in_everywhere(kind: str, tmp_path: Path) -> None:
    package = write_package(kind, "my-method-two", tmp_path)  # a name that holds a placeholder
    texts = {path: path.read_text() for path in package.rglob("*") if path.is_file()}
    assert {path.relative_to(package).as_posix() for path in texts} == {
        "README.md",
        "pyproject.toml",
        "src/unlearnbench_my_method_two/__init__.py",
        "src/unlearnbench_my_method_two/py.typed",
        "tests/test_unlearnbench_my_method_two.py",
    }
    for text in texts.values():
        for placeholder in ("my_module", "my-distribution", "my-kind", "my-article", "my-version", "two-two"):
            assert placeholder not in text
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    major, minor, _ = unlearnbench.__version__.split(".")
    assert project["name"] == "unlearnbench-my-method-two"
    assert project["dependencies"][0] == f"unlearnbench>={major}.{minor},<{major}.{int(minor) + 1}"
    assert project["entry-points"]["unlearnbench"] == {"my-method-two": "unlearnbench_my_method_two"}
    assert "license" not in project  # its author's to choose


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("atack", "mine", 'there is no template for the kind "atack"; did you mean "attack"?'),
        ("executor", "mine", 'there is no template for the kind "executor"'),
        ("attack", "My Attack", "must be lower-case words joined by hyphens"),
        ("attack", "../mine", "must be lower-case words joined by hyphens"),
        ("attack", "sorted-diff", 'attack "sorted-diff" is built in: choose another name'),
    ],
)
def test_a_mistake_writes_nothing(kind: str, name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        write_package(kind, name, tmp_path)
    assert said in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "unlearnbench-mine").mkdir()
    with pytest.raises(UserError, match="unlearnbench-mine exists already"):
        write_package("attack", "mine", tmp_path)
    assert list((tmp_path / "unlearnbench-mine").iterdir()) == []
