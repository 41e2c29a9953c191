"""The suites that come with the package: found by name, loaded whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.records import Kind
from unlearnbench.suite import find
from unlearnbench.suite.find import find_suite, standard_suites
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import PluginRef


@pytest.mark.parametrize("name", standard_suites())
def test_every_standard_suite_loads_and_says_what_it_is_for(name: str) -> None:
    suite, _ = load_suite(find_suite(name))
    assert suite.name == name.rpartition("/")[2]
    assert suite.description
    assert suite.n_cells > 0


@pytest.mark.parametrize("name", [name for name in standard_suites() if not name.startswith("paper/")])
def test_every_suite_of_a_leaderboard_names_its_control_rows(name: str) -> None:  # the paper's leave them to the plan
    suite, registry = load_suite(find_suite(name))
    sections: list[tuple[Kind, Sequence[PluginRef]]] = [("unlearner", suite.unlearners), ("attack", suite.attacks)]
    for kind, refs in sections:
        controls = {found.name for found in registry.all(kind) if found.plugin.role == "control"}
        assert controls <= {ref.name for ref in refs}


def test_the_standard_suites_are_at_hand() -> None:
    assert {"quickstart", "adult-first"} <= set(standard_suites())


def test_a_suite_in_a_folder_has_the_folder_in_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "paper").mkdir()
    for name in ("quickstart.yaml", "paper/e1.yaml", "paper/notes.md"):
        (tmp_path / name).touch()
    monkeypatch.setattr(find, "_root", lambda: tmp_path)
    assert list(standard_suites()) == ["paper/e1", "quickstart"]
    assert find_suite("paper/e1") == tmp_path / "paper" / "e1.yaml"


@pytest.mark.parametrize("path", ["mine.yaml", "folder/mine.yml", Path("quickstart.yaml")])
def test_what_ends_like_a_suite_file_is_a_path(path: str | Path) -> None:
    assert find_suite(path) == Path(path)


def test_an_unknown_name_is_reported_with_the_closest_one() -> None:
    with pytest.raises(
        UserError, match=r'unknown suite "quickstrat"; did you mean "quickstart"\?; a suite of your own'
    ):
        find_suite("quickstrat")


def test_an_installed_package_has_its_suites_beside_the_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "standard").mkdir()
    (tmp_path / "standard" / "only.yaml").touch()
    monkeypatch.setattr(find, "__file__", str(tmp_path / "find.py"))
    assert standard_suites() == {"only": tmp_path / "standard" / "only.yaml"}
