"""Plug-ins that print, at every place where their code runs, are not heard on standard output."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

LOUD = """
import ctypes
import os
import subprocess
import warnings
from unlearnbench import (
    AttackPlugin, Dataset, DatasetPlugin, Executor, ExecutorPlugin, FunctionUnlearner, Provenance, Records,
    ScoreAttack, UnlearnerPlugin, hookimpl,
)


def shout(where):
    print(where)
    os.write(1, b"by the descriptor\\n")
    ctypes.CDLL(None).puts(b"by C")
    subprocess.run(["/bin/echo", "by a child"])
    warnings.warn("a warning", stacklevel=1)


shout("import")


class Attack(ScoreAttack):
    '''It shouts.'''

    def __init__(self):
        shout("constructor")

    @property
    def learns(self):
        shout("property")
        return False

    def score(self, view):
        shout("score")
        return view.before[:, 0]


class Data(Dataset):
    '''It shouts.'''

    def load(self):
        shout("load")
        from sklearn.datasets import load_breast_cancer

        x, y = load_breast_cancer(return_X_y=True)
        return Records("loud-data", x, y, 2, Provenance("scikit-learn", "CC BY 4.0"))


class Unlearner(FunctionUnlearner):
    '''It shouts.'''

    def refusal(self, model):
        shout("refusal")

    def unlearn(self, deletion):
        shout("unlearn")
        return deletion.fitted


class Runs(Executor):
    '''It shouts.'''

    def run(self, work, tasks, limits):
        for task in tasks:
            shout("run")
            yield task, work(task)


@hookimpl
def unlearnbench_attacks():
    shout("hook")
    yield AttackPlugin(name="loud", summary="Shouts.", factory=Attack)


@hookimpl
def unlearnbench_datasets():
    yield DatasetPlugin(name="loud-data", summary="Shouts.", factory=Data, licence="CC BY 4.0")


@hookimpl
def unlearnbench_unlearners():
    yield UnlearnerPlugin(name="loud", summary="Shouts.", factory=Unlearner)


@hookimpl
def unlearnbench_executors():
    yield ExecutorPlugin(name="loud", summary="Shouts.", factory=Runs)


@hookimpl
def unlearnbench_after_cell(cell):
    shout("observer")
"""
SUITE = {
    "suite": "loud",
    "version": 1,
    "plugins": ["loud.py"],
    "datasets": ["loud-data"],
    "models": ["decision-tree"],
    "unlearners": ["loud"],
    "attacks": ["loud"],
    "metrics": ["auc"],
    "episodes": {"originals": 2, "requests": 2, "records": 80, "negatives": 5},
    "engine": "reference",
}
ONLY = ["--only", "unlearner=loud", "--only", "attack=loud"]
COMMANDS = [
    ["plan", "loud.yaml", "--json", "--run-plugin-files", *ONLY],
    ["status", "loud.yaml", "--json", "--run-plugin-files", *ONLY],
    ["results", "loud.yaml", "--json", "--run-plugin-files", *ONLY],
    ["suite", "show", "loud.yaml", "--json", "--run-plugin-files"],
    ["suite", "schema", "--plugin-file", "loud.py"],
    ["plugins", "list", "--json", "--plugin-file", "loud.py"],
    ["plugins", "show", "loud", "--kind", "attack", "--json", "--plugin-file", "loud.py"],
    ["plugins", "check", "attack:loud", "--plugin-file", "loud.py", "--json"],
    ["data", "list", "--json", "--plugin-file", "loud.py"],
    ["data", "show", "loud-data", "--json", "--plugin-file", "loud.py"],
    ["data", "verify", "loud-data", "--json", "--plugin-file", "loud.py"],
]


def call(folder: Path, commands: list[list[str]]) -> subprocess.CompletedProcess[str]:
    """Run commands one after the other in one process; a line of hashes ends the output of each."""
    code = (
        f"from unlearnbench.cli import main\nfor arguments in {commands!r}:\n    main(arguments)\n    print('#' * 9)\n"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603 - ours


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    folder = tmp_path_factory.mktemp("loud")
    (folder / "loud.py").write_text(LOUD)
    (folder / "loud.yaml").write_text(json.dumps(SUITE))
    return call(folder, [["run", "loud.yaml", "--executor", "loud", *ONLY], *COMMANDS])


def test_machine_readable_output_is_nothing_but_that(called: subprocess.CompletedProcess[str]) -> None:
    _, *outputs, last = called.stdout.split("#" * 9 + "\n")
    assert last == ""
    assert len(outputs) == len(COMMANDS)
    for command, output in zip(COMMANDS, outputs, strict=True):
        try:
            json.loads(output)
        except ValueError:
            pytest.fail(f"{' '.join(command)} prints {output[:300]!r}")


def test_a_run_prints_its_tables_only(called: subprocess.CompletedProcess[str]) -> None:
    table = called.stdout.partition("#" * 9 + "\n")[0]
    assert "cells done, 0 failed" in table
    assert not {*WORDS, "by the descriptor", "by C", "by a child"} & {*table.splitlines()}


WORDS = ["import", "hook", "constructor", "property", "load", "refusal", "unlearn", "score", "run", "observer"]


@pytest.mark.parametrize("word", [*WORDS, "by the descriptor", "by C", "by a child"])
def test_what_is_printed_can_be_read_on_the_error_stream(called: subprocess.CompletedProcess[str], word: str) -> None:
    assert word in called.stderr.splitlines()
    assert "UserWarning: a warning" in called.stderr
