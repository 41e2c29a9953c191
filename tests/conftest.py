"""Fixtures that the tests of several rooms share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from unlearnbench.hooks.registry import Registry, load_registry

Install = Callable[..., None]


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Hold our own plug-ins, whatever else is installed on this machine."""
    return load_registry(discover=False)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a distribution for one test: a module, and the metadata that names it as a plug-in."""
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def install(name: str, code: str, **metadata: str) -> None:
        module = name.replace("-", "_")
        (site / f"{module}.py").write_text(dedent(code), encoding="utf-8")
        info = site / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[unlearnbench]\n{name} = {module}\n", encoding="utf-8")
        for file, text in metadata.items():
            (info / f"{file}.json").write_text(text, encoding="utf-8")
        monkeypatch.delitem(sys.modules, module, raising=False)  # and again when the test is over

    return install


@pytest.fixture
def plugin_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a one-file plug-in."""

    def write(code: str, name: str = "mine.py") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(code), encoding="utf-8")
        return path

    return write


@pytest.fixture
def attack_code() -> Callable[..., str]:
    """Return a plug-in that offers attacks of these names."""

    def code(*names: str, factory: str = "somewhere.attacks:Attack") -> str:
        offers = "".join(
            f"    yield AttackPlugin(name={n!r}, summary='An attack.', factory={factory!r})\n" for n in names
        )
        return (
            "from unlearnbench.hooks import hookimpl\n"
            "from unlearnbench.hooks.records import AttackPlugin\n\n"
            "@hookimpl\n"
            "def unlearnbench_attacks():\n" + offers
        )

    return code
