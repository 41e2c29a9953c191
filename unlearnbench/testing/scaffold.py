"""Writes a new plug-in package from templates: a working method of a kind, its record and its tests."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import Final

from unlearnbench import __version__
from unlearnbench.core.errors import UserError, did_you_mean
from unlearnbench.core.files import write_whole
from unlearnbench.hooks.records import RECORDS
from unlearnbench.hooks.registry import load_registry

KINDS: Final = ("attack", "unlearner", "model", "dataset", "defense", "metric", "scenario")
ARTICLES: Final = {"attack": "an attack", "unlearner": "an unlearner", "dataset": "a data set"}


def write_package(kind: str, name: str, folder: Path) -> Path:
    """Write the package ``unlearnbench-<name>`` into a new folder below ``folder``, and return that folder.

    The package can be installed and passes its tests without changes. UserError, and nothing is written, where the kind
    or the name is invalid, where a built-in plug-in has the name, or where the folder exists.
    """
    _check(kind, name)
    target = folder / f"unlearnbench-{name}"
    module = target.name.replace("-", "_")
    if target.exists():
        raise UserError(f"{target} exists already: choose another name, or another folder with --to")
    words = {
        "my-distribution": target.name,
        "my_module": module,
        "MyMethod": name.title().replace("-", ""),
        "my-method": name,
        "my-kind": kind,
        "my-article": ARTICLES.get(kind, f"a {kind}"),
        "my-version": _version_range(),
    }
    files = {
        f"src/{module}/__init__.py": f"{kind}.py",
        f"src/{module}/py.typed": "",
        f"tests/test_{module}.py": "tests.txt",
        "pyproject.toml": "pyproject.txt",
        "README.md": "readme.txt",
    }
    for path, template in files.items():
        write_whole(target / path, _filled(template, words) if template else "")
    return target


def _check(kind: str, name: str) -> None:
    if kind not in RECORDS or kind not in KINDS:
        raise UserError(f'there is no template for the kind "{kind}"{did_you_mean(kind, KINDS)}')
    try:
        RECORDS[kind](name=name, summary="-", factory="module:Class")
    except ValueError as error:
        raise UserError(str(error)) from error
    if any(plugin.name == name for plugin in load_registry(discover=False).all(kind)):
        raise UserError(f'{kind} "{name}" is built in: choose another name')


def _version_range() -> str:
    major, minor = __version__.split(".")[:2]
    return f"{major}.{minor},<{major}.{int(minor) + 1}"


def _filled(template: str, words: dict[str, str]) -> str:
    text = (resources.files("unlearnbench.testing") / "templates" / template).read_text(encoding="utf-8")
    return re.sub("|".join(words), lambda found: words[found[0]], text)
