"""Starting a plug-in, and checking one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Said


SOUND = """
from unlearnbench import AttackPlugin, ScoreAttack, hookimpl

class Largest(ScoreAttack):
    '''The largest posterior of the original.'''

    def score(self, view):
        return view.before.max(axis=1)

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="largest", summary="Largest", factory=Largest)
"""
BROKEN = SOUND.replace("return view", "return len(view) + view")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], None]:
    def write(code: str) -> None:
        (tmp_path / "largest.py").write_text(code)

    return write


def test_new_writes_a_package_and_says_what_to_do_next(say: Callable[..., Said], tmp_path: Path) -> None:
    code, out, err = say("plugins", "new", "metric", "my-metric")
    assert (code, err) == (0, "")
    assert (tmp_path / "unlearnbench-my-metric" / "src" / "unlearnbench_my_metric" / "__init__.py").is_file()
    assert "pip install --editable 'unlearnbench-my-metric[test]'" in out
    assert out.rstrip().endswith("unlearnbench plugins check unlearnbench-my-metric")


def test_new_can_write_elsewhere(say: Callable[..., Said], tmp_path: Path) -> None:
    assert say("plugins", "new", "model", "my-model", "--to", "far/away").code == 0
    assert (tmp_path / "far" / "away" / "unlearnbench-my-model" / "pyproject.toml").is_file()


def test_a_folder_that_is_there_is_an_error_in_one_line(say: Callable[..., Said]) -> None:
    say("plugins", "new", "attack", "my-attack")
    code, out, err = say("plugins", "new", "attack", "my-attack")
    assert (code, out) == (2, "")
    assert err == ("error: unlearnbench-my-attack exists already: choose another name, or another folder with --to\n")


def test_a_kind_without_template_is_an_error_in_one_line(say: Callable[..., Said]) -> None:
    code, _, err = say("plugins", "new", "atack", "my-attack")
    assert code == 2
    assert err == 'error: there is no template for the kind "atack"; did you mean "attack"?\n'


def test_check_says_that_nothing_is_found(say: Callable[..., Said], write: Callable[[str], None]) -> None:
    write(SOUND)
    assert say("plugins", "check", "largest.py") == (0, 'attack "largest": nothing found\n', "")


def test_check_tells_findings_with_hints_and_fails(say: Callable[..., Said], write: Callable[[str], None]) -> None:
    write(BROKEN)
    code, out, err = say("plugins", "check", "largest.py")
    assert (code, err) == (1, "")
    first, finding, hint = out.splitlines()
    assert first == 'attack "largest": 1 finding'
    assert finding.startswith("- scores-each-row-independently: ")
    assert hint.startswith("  hint: ")


def test_check_by_name_takes_files_in_too(say: Callable[..., Said], write: Callable[[str], None]) -> None:
    write(BROKEN)
    assert say("plugins", "check", "largest", "--plugin-file", "largest.py").code == 1


def test_check_prints_json(say: Callable[..., Said], write: Callable[[str], None]) -> None:
    write(BROKEN)
    code, out, _ = say("plugins", "check", "largest.py", "--json")
    (plugin,) = json.loads(out)
    assert code == 1
    assert (plugin["kind"], plugin["name"]) == ("attack", "largest")
    assert [(each["check"], bool(each["problem"] and each["hint"])) for each in plugin["findings"]] == [
        ("scores-each-row-independently", True)
    ]


def test_a_name_that_kinds_share_can_be_told_apart(say: Callable[..., Said]) -> None:
    assert say("plugins", "check", "none", "--kind", "defense").out == 'defense "none": nothing found\n'


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["siza"], 'unknown plug-in "siza"; did you mean "sisa"?'),
        (["sisa", "--kind", "unlerner"], 'unknown kind "unlerner"; did you mean "unlearner"?'),
        (["nowhere.py"], "cannot read the plug-in file: No such file or directory"),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments: list[str], said: str, say: Callable[..., Said]) -> None:
    code, out, err = say("plugins", "check", *arguments)
    assert (code, out) == (2, "")
    assert err.rstrip().endswith(said)
