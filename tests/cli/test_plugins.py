from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unlearnbench.cli import main
from unlearnbench.hooks.registry import Registry

Code = Callable[..., str]
Install = Callable[..., None]
WriteFile = Callable[..., Path]

PLUGIN = """
    from typing import Annotated, Literal
    from pydantic import Field
    from unlearnbench.hooks import hookimpl
    from unlearnbench.hooks.records import AttackPlugin

    class Mine:
        \"\"\"Attacks from the left.

        ``size``: how big it is

        ``side``: where it comes from.
        \"\"\"

        def __init__(
            self,
            size: Annotated[int, Field(gt=0)],
            side: Literal["left", "right"] = "left",
            strict: bool = False,
        ) -> None:
            pass

    @hookimpl
    def unlearnbench_attacks():
        yield AttackPlugin(name="mine", summary="My attack.", factory=Mine, reference="Me 2026", label=True)

    @hookimpl
    def unlearnbench_after_run(results):
        pass
"""


@pytest.fixture
def mine(plugin_file: WriteFile) -> str:
    return str(plugin_file(PLUGIN))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that is right and return what it prints."""

    def run(*arguments: str) -> str:
        code = main(["plugins", *arguments])
        out, err = capsys.readouterr()
        assert (code, err) == (0, "")
        return out

    return run


@pytest.fixture
def error(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that is wrong and return the line that says so."""

    def error(*arguments: str) -> str:
        code = main(["plugins", *arguments])
        out, err = capsys.readouterr()
        assert (code, out) == (2, "")
        (line,) = err.splitlines()
        return line

    return error


def test_all_plugins_are_listed_one_a_line(run: Callable[..., str], registry: Registry) -> None:
    listed = {tuple(line.split()[:2]) for line in run("list").splitlines()}
    assert {(plugin.kind, plugin.name) for plugin in registry.all()} <= listed


def test_one_kind_can_be_listed_alone(run: Callable[..., str]) -> None:
    assert {plugin["kind"] for plugin in json.loads(run("list", "metric", "--json"))["plugins"]} == {"metric"}


def test_a_file_adds_to_the_list_and_its_observers_are_shown(run: Callable[..., str], mine: str) -> None:
    lines = run("list", "--plugin-file", mine).splitlines()
    assert any(line.startswith("attack") and "mine" in line and f"file {mine}" in line for line in lines)
    assert any(line.startswith("observer") and "after_run" in line for line in lines)


def test_a_broken_distribution_is_shown(run: Callable[..., str], install: Install) -> None:
    install("bad-dist", "import no_such_module")
    (line,) = (line for line in run("list").splitlines() if line.startswith("broken"))
    assert "ModuleNotFoundError: No module named 'no_such_module'" in line
    assert "distribution bad-dist 1.0" in line
    (broken,) = json.loads(run("list", "--json"))["broken"]
    assert broken["source"]["name"] == "bad-dist"


def test_plugins_can_be_disabled(run: Callable[..., str], error: Callable[..., str]) -> None:
    listed = json.loads(run("list", "--json", "--disable-plugin", "sisa", "--disable-plugin", "metric:auc"))
    assert not {"sisa", "auc"} & {plugin["name"] for plugin in listed["plugins"]}
    assert error("list", "--disable-plugin", "siza").endswith('; did you mean "sisa"?')


def test_a_plugin_is_shown_with_its_parameters(run: Callable[..., str], mine: str) -> None:
    lines = [" ".join(line.split()) for line in run("show", "mine", "--plugin-file", mine).splitlines()]
    for line in (
        "attack mine: My attack.",
        "reference Me 2026",
        "versions both",
        "label true",
        f"from file {mine}",
        "Attacks from the left.",
        "size integer > 0 required how big it is",
        'side one of "left", "right" left where it comes from.',
        "strict true or false false",
    ):
        assert line in lines


def test_a_plugin_is_shown_as_json(run: Callable[..., str], mine: str) -> None:
    shown: dict[str, Any] = json.loads(run("show", "mine", "--json", "--plugin-file", mine))
    assert shown["source"]["sha256"]
    assert shown["about"]["versions"] == "both"
    assert shown["parameters"][1] == {
        "name": "side",
        "type": 'one of "left", "right"',
        "default": "left",
        "required": False,
        "choices": ["left", "right"],
        "description": "where it comes from.",
    }


def test_a_plugin_without_parameters_says_so(run: Callable[..., str]) -> None:
    assert "It takes no parameters." in run("show", "single")


def test_a_name_of_several_kinds_needs_the_kind(run: Callable[..., str], error: Callable[..., str]) -> None:
    assert error("show", "none").endswith("choose one: --kind unlearner or --kind defense")
    assert run("show", "none", "--kind", "defense").startswith("defense none: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "atack"], 'unknown kind "atack"; did you mean "attack"?'),
        (["show", "sissa"], 'unknown plug-in "sissa"; did you mean "sisa"?'),
        (["show", "sissa", "--kind", "unlearner"], 'unknown unlearner "sissa"; did you mean "sisa"?'),
        (["show", "sisa", "--kind", "unlerner"], 'unknown kind "unlerner"; did you mean "unlearner"?'),
        (
            ["list", "--plugin-file", "nowhere.py"],
            "nowhere.py: cannot read the plug-in file: No such file or directory",
        ),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments: list[str], said: str, error: Callable[..., str]) -> None:
    assert error(*arguments).endswith(said)


def test_a_broken_file_is_the_users_mistake(error: Callable[..., str], plugin_file: WriteFile) -> None:
    path = plugin_file("def broken(:\n")
    assert error("list", "--plugin-file", str(path)).startswith(
        f"error: {path}:1:12: the plug-in file fails: SyntaxError"
    )


def test_a_plugin_whose_class_cannot_be_imported_names_its_source(
    error: Callable[..., str], install: Install, attack_code: Code
) -> None:
    install("lost-dist", attack_code("shiny", factory="no_such_package:Shiny"))
    assert error("show", "shiny").startswith('error: attack "shiny" of distribution lost-dist 1.0 cannot be loaded: ')
