from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import typer

from unlearnbench.cli import app, main
from unlearnbench.cli.app import VERBS
from unlearnbench.core.errors import UserError

HEAVY = {"torch", "sklearn", "scipy", "pandas", "numba", "lightgbm"}


def imported_by(*arguments: str) -> set[str]:
    """Return the top-level modules that a fresh process imports for this command line."""
    code = f"import sys, unlearnbench.cli as cli; assert cli.main({arguments!r}) == 0; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    return {line.partition(".")[0] for line in done.stdout.splitlines()}


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Add a verb ``try`` whose module the test fills."""
    module = ModuleType("unlearnbench_try")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(app, "VERBS", {**VERBS, "try": (module.__name__, "Try something.")})
    return module


def test_help_imports_nothing_heavy() -> None:
    assert not (HEAVY | {"numpy", "pydantic", "rich"}) & imported_by("--help")


def test_listing_plugins_imports_nothing_heavy() -> None:
    assert not (HEAVY | {"numpy"}) & imported_by("plugins", "list")


def test_help_names_every_verb_and_imports_none(
    capsys: pytest.CaptureFixture[str], verb: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, verb.__name__, None)  # importing it would fail
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert "Try something." in out
    assert "Examples:\n    unlearnbench " in out
    assert all(name in out for name in VERBS)


def test_without_arguments_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("Usage: unlearnbench")


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_a_help_page(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert f"unlearnbench {name}" in capsys.readouterr().out


def commands(command: Any) -> Iterator[Any]:
    """Yield a command and all commands below it."""
    yield command
    for each in getattr(command, "commands", {}).values():
        yield from commands(each)


@pytest.mark.parametrize("name", VERBS)
def test_every_command_and_every_option_says_what_it_does(name: str) -> None:
    for command in commands(app._load(name)):
        assert command.help
        for option in command.params:
            assert option.help, f"{command.name} {option.name}"


@pytest.mark.parametrize("name", [None, *VERBS])
def test_no_help_is_cut_short(name: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*([name] if name else []), "--help"]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if line.endswith("...") and "Usage" not in line] == []


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("unlearnbench ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plugns"], "no such command 'plugns'; did you mean \"plugins\"? (see unlearnbench --help)"),
        (["plugins", "lst"], 'did you mean "list"?'),
        (["run", "quickstart", "--wrokers", "2"], 'no such option: --wrokers; did you mean "--workers"?'),
        (["plugins", "list", "--jsn"], 'no such option: --jsn; did you mean "--json"?'),
        (["run", "quickstart", "--rerun", "fialed"], "'all'; did you mean \"failed\"? (see unlearnbench run --help)"),
        (["run", "quickstart", "--device", "tpu-v5"], "'tpu-v5' is not one of 'auto', 'cpu', 'cuda', 'mps' (see"),
        (["plugins"], "missing command (see unlearnbench plugins --help)"),
        (["plugins", "show"], "missing argument"),
        (["plugins", "show", "--kind"], "requires an argument"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert said in err
    assert len(err.splitlines()) == 1


def test_a_verb_may_be_a_function(verb: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    def command(name: str, times: int = 1) -> None:
        """Greet."""
        typer.echo(f"hello {name} " * times)

    verb.command, verb.EXAMPLES = command, ("unlearnbench try you",)  # type: ignore[attr-defined]  # a made-up module
    assert main(["try", "you", "--times", "2"]) == 0
    assert capsys.readouterr().out == "hello you hello you \n"
    assert main(["try", "--help"]) == 0
    assert "    unlearnbench try you" in capsys.readouterr().out


def fail(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UserError("it is wrong", "suite.yaml:3:1"), 2, "error: suite.yaml:3:1: it is wrong\n"),
        (KeyboardInterrupt(), 130, ""),
        (typer.Exit(1), 1, ""),
    ],
)
def test_errors_become_exit_codes(
    verb: ModuleType, error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    verb.command = lambda: fail(error)  # type: ignore[attr-defined]  # a made-up module
    assert main(["try"]) == code
    assert capsys.readouterr().err.strip() == said.strip()


def test_a_bug_is_not_hidden(verb: ModuleType) -> None:
    verb.command = lambda: fail(ZeroDivisionError())  # type: ignore[attr-defined]  # a made-up module
    with pytest.raises(ZeroDivisionError):
        main(["try"])
