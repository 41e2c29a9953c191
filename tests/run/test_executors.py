"""An executor is chosen by a text; results are the same bits under all, and a process that dies costs one task."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from unlearnbench.builtin.executors.dask.executor import DaskExecutor
from unlearnbench.builtin.executors.processes import ProcessExecutor
from unlearnbench.builtin.executors.serial import SerialExecutor
from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import NO_LIMITS, Executor, Failure, Outcome, Task, Work
from unlearnbench.core.limits import Limits
from unlearnbench.hooks.registry import Registry, load_registry
from unlearnbench.run.executors import choose_executor
from unlearnbench.run.instances import PluginInstances

if TYPE_CHECKING:
    from tests.run.conftest import Lab, Ran

Findings = Callable[["Ran"], dict[str, object]]


@pytest.mark.parametrize(
    ("text", "executor"),
    [
        ("serial", SerialExecutor()),
        ("processes", ProcessExecutor(2)),
        ("processes:workers=4", ProcessExecutor(4)),
        ("processes:workers=4,memory=900GB", ProcessExecutor(4, "900GB")),
        ("processes:memory=1.5 TB", ProcessExecutor(2, "1.5 TB")),
        ("dask", DaskExecutor()),
        ("dask:workers=4,dashboard=true", DaskExecutor(workers=4, dashboard=True)),
        (
            "dask:scheduler=tls://10.0.0.5:8786,ca=ca.pem,cert=me.pem,key=me.key,patience=60",
            DaskExecutor("tls://10.0.0.5:8786", "", "ca.pem", "me.pem", "me.key", patience=60.0),
        ),
        ("dask:scheduler_file=s.json,insecure_network=true", DaskExecutor("", "s.json", insecure_network=True)),
    ],
)
def test_a_text_names_an_executor_and_its_parameters(registry: Registry, text: str, executor: Executor) -> None:
    assert choose_executor(PluginInstances(registry), text) == executor


def test_without_a_text_the_short_form_for_processes_counts(registry: Registry) -> None:
    instances = PluginInstances(registry)
    assert choose_executor(instances) == SerialExecutor()
    assert choose_executor(instances, workers=3) == ProcessExecutor(3)
    assert choose_executor(instances, workers=3, memory="900GB") == ProcessExecutor(3, "900GB")


def test_the_short_form_for_a_scheduler_file(registry: Registry) -> None:
    assert choose_executor(PluginInstances(registry), scheduler_file="s.json") == DaskExecutor("", "s.json")


def test_an_executor_object_is_used_as_it_is(registry: Registry) -> None:
    executor = ProcessExecutor(5)
    assert choose_executor(PluginInstances(registry), executor) is executor


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"executor": "clouds"}, 'unknown executor "clouds"; known: dask, processes, serial'),
        ({"executor": "procesess"}, 'unknown executor "procesess"; did you mean "processes"?'),
        (
            {"executor": "processes:wrokers=4"},
            'executor "processes" has no parameter "wrokers"; did you mean "workers"?',
        ),
        ({"executor": "serial:workers=4"}, 'executor "serial" has no parameter "workers"; it has none'),
        ({"executor": "processes:workers=four"}, 'executor "processes": workers must be an integer, got "four"'),
        ({"executor": "processes:workers=2.5"}, 'executor "processes": workers must be an integer, got 2.5'),
        ({"executor": "processes:workers=0"}, "workers: must be at least 1, got 0"),
        ({"executor": "processes:memory=lots"}, 'memory: "lots" is not a size'),
        ({"executor": "processes:workers"}, 'executor "processes:workers": "workers" must be PARAMETER=VALUE'),
        ({"executor": "processes", "workers": 4}, 'short for the executor "processes:workers=4"; give them or an'),
        ({"executor": SerialExecutor(), "workers": 4}, 'short for the executor "processes:workers=4"; give them or an'),
        ({"memory": "4GB"}, "memory limits the number of workers; give workers too, 2 or more"),
        ({"scheduler_file": "s.json", "executor": "dask"}, 'short for the executor "dask:scheduler_file=s.json"'),
        ({"scheduler_file": "s.json", "workers": 2}, "give no other, no workers, no memory"),
        ({"executor": "dask:scheduler=here"}, 'scheduler: "here" is no address; write tls://HOST:PORT'),
        ({"executor": "dask:scheduler=tcp://10.0.0.5:1"}, "whoever reaches it runs code as you"),
        ({"workers": 0}, "workers: must be at least 1, got 0"),
    ],
)
def test_a_choice_that_is_wrong_is_refused_in_one_line(registry: Registry, chosen: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        choose_executor(PluginInstances(registry), **chosen)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


PARAMETRISED = """
from dataclasses import dataclass
from unlearnbench import Executor, ExecutorPlugin, hookimpl

@dataclass(frozen=True)
class Cluster(Executor):
    queue: str = "short"
    hosts: tuple[str, ...] = ()
    hours: float = 1.0
    dry: bool = False

    def run(self, work, tasks, limits):
        for task in tasks:
            yield task, work(task)

@hookimpl
def unlearnbench_executors():
    yield ExecutorPlugin(name="cluster", summary="A cluster.", factory=Cluster)
"""


def test_parameters_of_all_types_are_read_from_a_text(tmp_path: Path) -> None:
    (tmp_path / "cluster.py").write_text(PARAMETRISED)
    instances = PluginInstances(load_registry([tmp_path / "cluster.py"], discover=False))
    made: Any = choose_executor(instances, 'cluster:queue=4,hosts=["a","b"],hours=0.5,dry=true')
    assert (made.queue, made.hosts, made.hours, made.dry) == ("4", ("a", "b"), 0.5, True)


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_any_number_of_workers_gives_the_bits_of_a_serial_run(
    lab: Lab, findings: Findings, tiny: Ran, workers: int
) -> None:
    assert findings(lab.run(only=(), executor=ProcessExecutor(workers))) == findings(tiny)


PLUGIN = """
import os, signal
from pathlib import Path
from unlearnbench import FunctionUnlearner, UnlearnerPlugin, hookimpl

class DiesOnce(FunctionUnlearner):
    def unlearn(self, deletion):
        mark = Path(__file__).with_suffix(".mark")
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return deletion.fitted

@hookimpl
def unlearnbench_unlearners():
    yield UnlearnerPlugin(name="dies-once", summary="Dies once.", factory=DiesOnce)
"""


def test_a_killed_worker_fails_its_task_and_the_next_run_makes_it(lab: Lab) -> None:
    changes: dict[str, Any] = {"unlearners": ["dies-once"], "plugins": [lab.plugin(PLUGIN)]}
    first = lab.run(only=("unlearner=dies-once",), executor=ProcessExecutor(1), **changes)
    failures = [first.store.failure("episode", key) for key in first.plan.episodes]
    assert [failure for failure in failures if failure] == [Failure("crashed", "its process was killed by SIGKILL")]
    again = lab.run(only=("unlearner=dies-once",), executor=ProcessExecutor(1), **changes)
    assert again.outcome.failed == 0


def test_a_worker_refuses_a_plugin_file_that_changed(lab: Lab) -> None:
    class Changing(ProcessExecutor):
        def run(
            self, work: Work[Task, Outcome], tasks: Sequence[Task], limits: Limits = NO_LIMITS
        ) -> Iterator[tuple[Task, Outcome | Failure]]:
            lab.plugin(PLUGIN + "\nCHANGED = True\n")
            return super().run(work, tasks, limits)

    changes: dict[str, Any] = {"unlearners": ["dies-once"], "plugins": [lab.plugin(PLUGIN)]}
    with pytest.raises(UserError, match='finds another version, or none, of unlearner "dies-once"'):
        lab.run(only=("unlearner=dies-once",), executor=Changing(1), **changes)


def _wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


ATTACK = """
import os, signal
from pathlib import Path
from unlearnbench import AttackPlugin, ScoreAttack, hookimpl

class DiesOnce(ScoreAttack):
    def score(self, view):
        mark = Path(__file__).with_suffix(".mark")
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return view.before[:, 0]

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="dies-once", summary="Dies once.", factory=DiesOnce)
"""


def test_an_attack_that_kills_its_process_costs_one_cell_and_the_next_run_makes_it(lab: Lab) -> None:
    only = ("unlearner=none", "unlearner=random-noise")
    changes: dict[str, Any] = {"attacks": ["dies-once"], "plugins": [lab.plugin(ATTACK)]}
    lab.run(only=only)  # the episodes
    first = lab.run(only=only, executor=ProcessExecutor(1), **changes)
    (crashed,) = [row for row in first.rows if row.status == "crashed"]
    assert crashed.names["attack"] == "dies-once"
    assert crashed.reason == "its process was killed by SIGKILL"
    assert first.outcome.failed == 1
    assert lab.run(only=only, executor=ProcessExecutor(1), **changes).outcome.failed == 0


@pytest.mark.slow
def test_a_killed_run_of_several_workers_is_resumed(lab: Lab, findings: Findings, tiny: Ran) -> None:
    store = lab.folder / "killed"
    code = "import sys; from unlearnbench.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "run", str(lab.write()), "--store", str(store), "--workers", "2"]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own code
    _wait_until(lambda: len(list(store.glob("episode-*/*/*"))) >= 2)
    run.kill()
    run.wait()
    done = {file: file.stat().st_mtime_ns for file in store.glob("[ec]*/*/*")}
    resumed = lab.run("killed", only=(), executor=ProcessExecutor(2))
    assert findings(resumed) == findings(tiny)
    assert {file: file.stat().st_mtime_ns for file in done} == done
