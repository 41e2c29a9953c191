"""Packages outside the core, installed as by a third party: built, put elsewhere, found by entry points."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import unlearnbench
from unlearnbench.hooks.registry import Registry, load_registry

ROOT = Path(__file__).parents[2]
PACKAGES = {project.parent.name: project.parent for project in sorted(ROOT.glob("plugins/*/pyproject.toml"))}
OFFERS = {
    "unlearnbench-example": ['unlearner "subsample"', 'attack "largest-move"'],
    "unlearnbench-neggrad-plus": ['unlearner "neggrad-plus-whole"'],
    "unlearnbench-relative-ratio": ['attack "relative-ratio"'],
    "unlearnbench-vision": ['model "densenet121"', 'model "resnet18"', 'model "resnet50"'],
    "unlearnbench-wine-neighbours": ['dataset "wine"', 'model "voting-neighbours"'],
}
every_package = pytest.mark.parametrize("name", PACKAGES)


def python(*arguments: str, cwd: Path, **environment: str) -> str:
    """Run Python in a folder and return what it prints; its words are the failure's where it fails."""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, *arguments], cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the packages, so that nothing is built in the source tree."""
    folder = tmp_path_factory.mktemp("checkout")
    for name, package in PACKAGES.items():
        shutil.copytree(package, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return folder


@pytest.fixture(scope="module")
def target(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build and install all packages into a folder of their own, without network."""
    folder = tmp_path_factory.mktemp("installed")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation")
    python("-m", "pip", "install", *quiet, "--target", str(folder), *(f"./{name}" for name in PACKAGES), cwd=checkout)
    return folder


@pytest.fixture
def registry(target: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    modules = tuple(module_of(name) for name in PACKAGES)
    for name in [name for name in sys.modules if name.startswith(modules)]:
        monkeypatch.delitem(sys.modules, name)  # another test may have imported it from its source
    monkeypatch.syspath_prepend(target)
    return load_registry()


def module_of(name: str) -> str:
    return name.replace("-", "_")


def offers_of(registry: Registry, name: str) -> list[str]:
    return [str(plugin) for plugin in registry.plugins if plugin.source.name == name]


def test_every_package_says_here_what_it_offers() -> None:
    assert PACKAGES.keys() == OFFERS.keys()


@every_package
def test_an_installed_package_is_found_by_its_entry_point(registry: Registry, name: str) -> None:
    assert offers_of(registry, name) == OFFERS[name]
    assert registry.broken == ()


@every_package
def test_its_source_is_the_distribution_and_its_version(registry: Registry, name: str) -> None:
    sources = {plugin.source for plugin in registry.plugins if plugin.source.name == name}
    assert {(source.kind, source.version, source.path) for source in sources} == {("distribution", "0.1.0", "")}


@every_package
def test_its_classes_are_those_that_were_installed(registry: Registry, target: Path, name: str) -> None:
    for plugin in (plugin for plugin in registry.plugins if plugin.source.name == name):
        assert Path(sys.modules[plugin.load().__module__].__file__ or "").is_relative_to(target)


@every_package
def test_listing_it_imports_no_class(target: Path, name: str) -> None:
    module = module_of(name)
    code = (
        "import sys; from unlearnbench.hooks.registry import load_registry; load_registry(); "
        f"print(*(name for name in sys.modules if name.startswith('{module}')))"
    )
    found = python("-c", code, cwd=target, PYTHONPATH=f"{target}{os.pathsep}{ROOT}")
    assert set(found.split()) == {module, f"{module}.hooks"}


@every_package
def test_it_can_be_left_out_by_its_name(target: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.syspath_prepend(target)
    assert offers_of(load_registry(disabled=[name]), name) == []


@pytest.mark.slow
@every_package
def test_its_own_tests_pass_against_the_installed_package(checkout: Path, target: Path, name: str) -> None:
    path = f"{target}{os.pathsep}{ROOT}"
    out = python("-m", "pytest", "--quiet", "-p", "no:xdist", cwd=checkout / name, PYTHONPATH=path)
    assert "passed" in out
    assert "skipped" not in out


@every_package
def test_a_package_asks_for_this_version(name: str) -> None:
    major, minor, _ = unlearnbench.__version__.split(".")
    asked = f'"unlearnbench>={major}.{minor},<{major}.{int(minor) + 1}"'
    assert asked in (PACKAGES[name] / "pyproject.toml").read_text()


every_file = pytest.mark.parametrize("file", sorted(ROOT.glob("plugins/*/src/*/*.py")), ids=lambda file: file.name)


@every_file
def test_a_package_imports_public_names_only(file: Path) -> None:
    """Its own modules and other libraries aside, ``unlearnbench`` itself is all that it imports from."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    modules, names = set[str](), set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
            names |= {each.name for each in node.names if node.module == "unlearnbench"}
    assert not {module for module in modules if module.startswith("unlearnbench.")}
    assert names <= set(dir(unlearnbench))


@every_file
def test_every_file_of_a_package_is_short(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) < 80
