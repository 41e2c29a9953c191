"""A small laboratory: suites of seconds, written, planned and run in a folder of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from tests.run.games import make_game
from unlearnbench.builtin.executors.serial import SerialExecutor
from unlearnbench.core.estimates import is_measured
from unlearnbench.core.executors import Executor
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.cells import Plan
from unlearnbench.run.game import Game
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plan import make_plan
from unlearnbench.run.results import Row, collect
from unlearnbench.run.runner import Outcome, Rerun, Runner
from unlearnbench.run.selection import Selection
from unlearnbench.run.store import Store
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import AXES, Suite

TINY = """
suite: {name}
version: 1
seeds: [0]
datasets: [breast-cancer]
models: [decision-tree]
unlearners: [retrain]
attacks: [sorted-diff]
episodes: {{originals: 2, requests: 3, records: 80, negatives: 10, matched: 2, retained: 4}}
engine: reference
device: cpu
"""

RETRAIN = ("unlearner=retrain",)
"""A selection that leaves out the control unlearners."""


@dataclass(frozen=True, eq=False)
class Ran:
    """What a run left behind."""

    plan: Plan
    store: Store
    outcome: Outcome

    @property
    def rows(self) -> list[Row]:
        return collect(self.plan, self.store)

    def row(self, **names: str | int | None) -> Row:
        """Return the one row with these names (of axes, or the seed)."""
        (found,) = (row for row in self.rows if all({**row.names, "seed": row.seed}[k] == v for k, v in names.items()))
        return found


@dataclass(frozen=True)
class Lab:
    """Writes suites and plug-ins into ``folder`` and runs them there."""

    folder: Path

    def write(self, name: str = "tiny", **changes: object) -> Path:
        """Write the tiny suite with these keys changed; lists and mappings as JSON, which is YAML."""
        lines = TINY.format(name=name).strip().splitlines()
        kept = [line for line in lines if line.partition(":")[0] not in changes]
        path = self.folder / f"{name}.yaml"
        path.write_text("\n".join([*kept, *(f"{key}: {json.dumps(value)}" for key, value in changes.items())]) + "\n")
        return path

    def plugin(self, code: str, name: str = "mine.py") -> str:
        """Write a plug-in file; return what a suite calls it by."""
        (self.folder / name).write_text(dedent(code))
        return name

    def load(self, name: str = "tiny", **changes: object) -> tuple[Suite, Registry]:
        return load_suite(self.write(name, **changes), run_plugin_files=True)

    def plan(self, only: Iterable[str] = (), name: str = "tiny", **changes: object) -> Plan:
        suite, registry = self.load(name, **changes)
        return make_plan(suite, PluginInstances(registry), suite.device, Selection.parse(only))

    def run(
        self,
        store: str = "store",
        only: Iterable[str] = RETRAIN,
        rerun: Rerun = "failed",
        executor: Executor | None = None,
        name: str = "tiny",
        **changes: object,
    ) -> Ran:
        suite, registry = self.load(name, **changes)
        instances = PluginInstances(registry)
        plan = make_plan(suite, instances, suite.device, Selection.parse(only))
        opened = Store(self.folder / store)
        outcome = Runner(instances, opened, executor or SerialExecutor()).run(plan, rerun)
        return Ran(plan, opened, outcome)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


@pytest.fixture(scope="session")
def lab_in() -> Callable[[Path], Lab]:
    """Return what makes a laboratory in a folder."""
    return Lab


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One run of the tiny suite with all its controls; to be read only."""
    return Lab(tmp_path_factory.mktemp("tiny")).run(only=())


@pytest.fixture(scope="session")
def findings() -> Callable[[Ran], dict[str, object]]:
    """Return all that a run found, by what it found it for, wall times left out."""

    def findings(ran: Ran) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, cell in ran.plan.cells.items():
            entry = ran.store.get("cell", key)
            assert entry is not None, f"{cell.labels} is missing"
            metrics = {k: v for k, v in entry.payload["metrics"].items() if not is_measured(k)}  # type: ignore[attr-defined]  # plain data
            found[json.dumps([*cell.labels.values(), cell.seed])] = (metrics, entry.arrays["scores"].tobytes())
        for key, task in ran.plan.episodes.items():
            entry = ran.store.get("episode", key)
            assert entry is not None, f"{task} is missing"
            arrays = {name: (str(a.dtype), a.shape, np.asarray(a).tobytes()) for name, a in entry.arrays.items()}
            told = [getattr(task, axis).label for axis in AXES[:4]]
            found[json.dumps([*told, task.side, task.original, task.seed])] = arrays
        return found

    return findings


@pytest.fixture(scope="module")
def game() -> Game:
    return make_game()
