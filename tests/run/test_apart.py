"""Plug-ins that write into their inputs, change the process, or return what is wrong cost their own cells only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.run.reasons import failed
from unlearnbench.builtin.executors.serial import SerialExecutor
from unlearnbench.core.process_settings import differing, read_settings
from unlearnbench.run.results import Row
from unlearnbench.run.runner import Runner
from unlearnbench.run.session import SessionOptions, open_session

if TYPE_CHECKING:
    from tests.run.conftest import Lab, Ran

ROWS = ("unlearner=retrain", "unlearner=none")
"""Sound rows, which every run of this page has beside those of the plug-in."""


def sound(ran: Ran, *plugins: str) -> dict[tuple[str, ...], object]:
    """Return the estimates of the rows that name none of these plug-ins, wall times left out."""

    def numbers(row: Row) -> object:
        return {name: estimate for name, estimate in row.metrics.items() if "seconds" not in name}

    return {tuple(row.names.values()): numbers(row) for row in ran.rows if not {*plugins} & {*row.names.values()}}


WRITERS = """
import numpy as np
from unlearnbench import (
    DefensePlugin, FunctionUnlearner, Metric, MetricPlugin, ReleaseDefense, Scenario, ScenarioPlugin,
    UnlearnerPlugin, hookimpl,
)

class Clips(ReleaseDefense):
    def release(self, log_posteriors, keys):
        return np.clip(log_posteriors, -1, 0, out=log_posteriors)

class Shifts(FunctionUnlearner):
    def unlearn(self, deletion):
        deletion.retain.records.x[...] += 1
        return deletion.fitted

class Relabels(FunctionUnlearner):
    def precompute(self, original):
        original.data.records.y[:] = 0

    def unlearn(self, deletion):
        return deletion.fitted

@hookimpl
def unlearnbench_defenses():
    yield DefensePlugin(name="clips", summary="Writes.", factory=Clips)

@hookimpl
def unlearnbench_unlearners():
    yield UnlearnerPlugin(name="shifts", summary="Writes.", factory=Shifts)
    yield UnlearnerPlugin(name="relabels", summary="Writes.", factory=Relabels)
"""


def test_a_plugin_that_writes_into_its_inputs_fails_its_cells_and_no_other_number_moves(lab: Lab, tiny: Ran) -> None:
    ran = lab.run(
        only=(*ROWS, "unlearner=shifts", "unlearner=relabels"),
        plugins=[lab.plugin(WRITERS)],
        defenses=["clips", "none"],  # what writes comes first
        unlearners=["shifts", "relabels", "retrain"],
    )
    writers = ("clips", "shifts", "relabels")
    reasons = failed(ran, *writers)
    assert all("read-only" in reason for reason in reasons), reasons
    assert sound(ran, *writers)
    assert sound(ran, *writers).items() <= sound(tiny).items()


CHANGERS = """
import os, random, sys, warnings
import numpy as np
from unlearnbench import (
    DefensePlugin, Estimate, FunctionUnlearner, Metric, MetricPlugin, ReleaseDefense, UnlearnerPlugin, hookimpl,
)

def change():
    os.chdir("/")
    os.environ["OMP_NUM_THREADS"] = "7"
    np.seterr(all="raise")
    np.random.seed(5)
    random.seed(5)
    warnings.simplefilter("error")
    sys.setrecursionlimit(sys.getrecursionlimit() + 5)
    sys.path.clear()

change()

class ChangesFirst(FunctionUnlearner):
    def prepare(self, original):
        change()  # before the original is trained, which all unlearners share
        return super().prepare(original)

    def unlearn(self, deletion):
        return deletion.fitted

class Changes(ReleaseDefense):
    def release(self, log_posteriors, keys):
        change()
        return log_posteriors

@hookimpl
def unlearnbench_defenses():
    yield DefensePlugin(name="changes", summary="Changes the process.", factory=Changes)

@hookimpl
def unlearnbench_unlearners():
    yield UnlearnerPlugin(name="changes", summary="Changes the process.", factory=ChangesFirst)
"""


def test_what_a_plugin_changes_in_the_process_reaches_no_other_cell(lab: Lab, tiny: Ran) -> None:
    before = read_settings()
    ran = lab.run(
        only=(*ROWS, "unlearner=changes"),
        plugins=[lab.plugin(CHANGERS)],
        defenses=["changes", "none"],
        unlearners=["changes", "retrain"],
    )
    assert differing(before, read_settings()) == []
    assert sound(ran, "changes")
    assert sound(ran, "changes").items() <= sound(tiny).items()


def test_a_relative_store_is_where_the_run_started(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    suite = lab.write(plugins=[lab.plugin(CHANGERS)], unlearners=["changes"])
    session = open_session(suite, SessionOptions(only=("unlearner=changes", "attack=blind"), run_plugin_files=True))
    assert session.store.root == tmp_path / ".unlearnbench"
    assert Runner(session.instances, session.store, SerialExecutor()).run(session.plan).failed == 0
    assert session.store.stored("episode", session.plan.episodes) == {*session.plan.episodes}


IN_PLACE = """
from unlearnbench import FunctionUnlearner, UnlearnerPlugin, hookimpl

class InPlace(FunctionUnlearner):
    def unlearn(self, deletion):
        import torch

        with torch.no_grad():
            for weight in deletion.fitted.module.parameters():
                weight.zero_()
        return deletion.fitted

class Afterwards(FunctionUnlearner):
    def unlearn(self, deletion):
        return deletion.fitted

@hookimpl
def unlearnbench_unlearners():
    yield UnlearnerPlugin(name="in-place", summary="Changes the original.", factory=InPlace)
    yield UnlearnerPlugin(name="afterwards", summary="Returns the original.", factory=Afterwards)
"""


@pytest.mark.parametrize("engine", ["reference", "auto"])  # the module itself, or one made of what a kernel trained
def test_an_unlearner_that_changes_the_original_in_place_fails_and_others_get_it_as_it_was(
    lab: Lab, engine: str
) -> None:
    changes: dict[str, Any] = {
        "plugins": [lab.plugin(IN_PLACE)],
        "models": [{"name": "mlp", "params": {"hidden": [4], "epochs": 2}}],
        "attacks": ["blind", "score-diff"],
        "engine": engine,
    }
    only = ("unlearner=in-place", "unlearner=afterwards", "attack=score-diff")
    alone = lab.run("alone", only[1:], unlearners=["afterwards"], **changes)
    ran = lab.run("both", only, unlearners=["in-place", "afterwards"], **changes)
    (reason,) = failed(ran, "in-place")
    assert "the original, which all unlearners share, was changed in place" in reason
    assert sound(ran, "in-place") == sound(alone)
