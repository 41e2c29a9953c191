"""Packages outside the core, installed as a stranger would: built, put somewhere else, found by their entry points."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import unlearnbench
from unlearnbench.hooks.registry import Registry, load_registry

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "plugins" / "unlearnbench-example"


def python(*arguments: str, cwd: Path, **environment: str) -> str:
    """Run Python in a folder and return what it prints; its words are the failure's where it fails."""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, *arguments], cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the example, so that nothing is built in the source tree."""
    folder = tmp_path_factory.mktemp("checkout") / EXAMPLE.name
    return Path(shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__", ".*")))


@pytest.fixture(scope="module")
def target(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build and install the example into a folder of its own, without network."""
    folder = tmp_path_factory.mktemp("installed")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation")
    python("-m", "pip", "install", *quiet, "--target", str(folder), str(checkout), cwd=folder)
    return folder


@pytest.fixture
def registry(target: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    for name in [name for name in sys.modules if name.startswith("unlearnbench_example")]:
        monkeypatch.delitem(sys.modules, name)  # another test may have imported it from its source
    monkeypatch.syspath_prepend(target)
    return load_registry()


def mine(registry: Registry) -> list[str]:
    return [str(plugin) for plugin in registry.plugins if plugin.source.name == "unlearnbench-example"]


def test_an_installed_package_is_found_by_its_entry_point(registry: Registry) -> None:
    assert mine(registry) == ['unlearner "subsample"', 'attack "largest-move"']
    assert registry.broken == ()


def test_its_source_is_the_distribution_and_its_version(registry: Registry) -> None:
    source = registry.get("attack", "largest-move").source
    assert (source.kind, source.version, source.path) == ("distribution", "0.1.0", "")


def test_its_classes_are_those_that_were_installed(registry: Registry, target: Path) -> None:
    loaded = registry.get("unlearner", "subsample").load()
    assert Path(sys.modules[loaded.__module__].__file__ or "").is_relative_to(target)


def test_listing_it_imports_neither_class(target: Path) -> None:
    code = (
        "import sys; from unlearnbench.hooks.registry import load_registry; load_registry(); "
        "print(*(name for name in sys.modules if name.startswith('unlearnbench_example')))"
    )
    found = python("-c", code, cwd=target, PYTHONPATH=f"{target}{os.pathsep}{ROOT}")
    assert set(found.split()) == {"unlearnbench_example", "unlearnbench_example.hooks"}


def test_it_can_be_left_out_by_its_name(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(target)
    assert mine(load_registry(disabled=["unlearnbench-example"])) == []


def test_its_own_tests_pass_against_the_installed_package(checkout: Path, target: Path) -> None:
    path = f"{target}{os.pathsep}{ROOT}"
    out = python("-m", "pytest", "--quiet", "-p", "no:xdist", cwd=checkout, PYTHONPATH=path)
    assert "passed" in out
    assert "skipped" not in out


def test_the_template_asks_for_this_version() -> None:
    major, minor, _ = unlearnbench.__version__.split(".")
    assert f'"unlearnbench>={major}.{minor},<{major}.{int(minor) + 1}"' in (EXAMPLE / "pyproject.toml").read_text()


@pytest.mark.parametrize("file", sorted(EXAMPLE.glob("src/*/*.py")), ids=lambda file: file.name)
def test_every_file_of_the_template_is_short(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) < 40
