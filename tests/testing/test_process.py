"""What a plug-in does to the process is found: its settings, global generators, output; when loaded and when called."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench import ScoreAttack, View
from unlearnbench.core.process_settings import differing, read_settings
from unlearnbench.hooks.registry import load_registry
from unlearnbench.testing import findings_of
from unlearnbench.testing.process import traces_of

if TYPE_CHECKING:
    from tests.testing.conftest import Found

TRACES: dict[str, tuple[Callable[[], object], str]] = {
    "errors": (lambda: np.seterr(all="raise"), "it changes numpy's treatment of errors"),
    "seed": (lambda: random.seed(1), "it changes the draws of random"),
    "draw": (np.random.random, "it changes the draws of numpy.random"),
    "filter": (lambda: warnings.simplefilter("ignore"), "it changes the filters of warnings"),
    "folder": (lambda: os.chdir("/"), "it changes the working directory"),
    "print": (lambda: print("Epoch 1"), "it prints 'Epoch 1' to the standard output"),  # noqa: T201 - what is found
    "descriptor": (lambda: os.write(1, b"raw"), "it prints 'raw' to the standard output"),
    "child": (lambda: subprocess.run(["/bin/echo", "hi"], check=True), "it prints 'hi' to the standard output"),
}


@pytest.mark.parametrize("name", TRACES)
def test_what_a_function_leaves_behind_is_found_and_undone(name: str) -> None:
    run, trace = TRACES[name]
    before = read_settings()
    (found,) = traces_of(run)
    assert found.startswith(trace)
    assert differing(before, read_settings()) == []


def test_a_function_that_leaves_nothing_behind_has_no_traces() -> None:
    def quiet() -> None:
        print("to the error stream", file=sys.stderr)  # noqa: T201 - which is allowed
        with np.errstate(all="raise"), warnings.catch_warnings():
            warnings.simplefilter("error")
            np.random.default_rng(0).random()

    assert list(traces_of(quiet)) == []


class Prints(ScoreAttack):
    """Prints."""

    def score(self, view: View) -> NDArray[np.float64]:
        print("scoring")  # noqa: T201 - what is found
        return view.before[:, 0]


class Raises(ScoreAttack):
    """Makes numpy raise, for all who come after it."""

    def score(self, view: View) -> NDArray[np.float64]:
        np.seterr(all="raise")
        return view.before[:, 0]


@pytest.mark.parametrize("cls", [Prints, Raises])
def test_an_attack_that_does_so_fails_the_check(cls: type, found: Found, capfd: pytest.CaptureFixture[str]) -> None:
    assert found("attack", cls, versions="both") == {"leaves-the-process-as-it-was"}
    assert capfd.readouterr().out == ""


FILE = """
from unlearnbench import AttackPlugin, ScoreAttack, hookimpl

{line}


class Mine(ScoreAttack):
    '''Says what it is.'''

    def score(self, view):
        return view.before[:, 0]


@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="mine", summary="Mine.", factory=Mine)
"""
LINES = {
    "import os": None,
    "print('welcome')": "when it is loaded, it prints 'welcome' to the standard output",
    "import numpy; numpy.seterr(all='ignore')": "when it is loaded, it changes numpy's treatment of errors",
    "import warnings; warnings.filterwarnings('ignore')": "when it is loaded, it changes the filters of warnings",
}


@pytest.mark.parametrize("line", LINES)
def test_a_file_that_does_so_when_it_is_loaded_fails_the_check(line: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FILE.format(line=line))
    registry = load_registry([file], discover=False)
    findings = findings_of(registry.get("attack", "mine"), registry)
    assert [finding.check for finding in findings] == ["loads-quietly"] * (LINES[line] is not None)
    assert all(finding.problem.startswith(str(LINES[line])) for finding in findings)
