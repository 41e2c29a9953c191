"""Work goes to machines that share no files: it takes along what it reads of the store, and tells what differs."""

from __future__ import annotations

import pickle
import shutil
from typing import TYPE_CHECKING

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Failure
from unlearnbench.run.cell_results import MEASURED, CellResult
from unlearnbench.run.cells import CellTask
from unlearnbench.run.evaluation import EvaluationWork
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.originals import EpisodeWork
from unlearnbench.run.plugin_lock import PluginLock
from unlearnbench.run.store import Store

if TYPE_CHECKING:
    from tests.run.conftest import Lab, Ran


def elsewhere(work: EvaluationWork | EpisodeWork) -> EvaluationWork | EpisodeWork:
    """Return the work as another process has it."""
    there: EvaluationWork | EpisodeWork = pickle.loads(pickle.dumps(work))  # noqa: S301 - made by this process
    return there


def tasks_of(ran: Ran) -> list[CellTask]:
    return [CellTask(group, key) for group in ran.plan.groups for key in group.cells]


def test_cells_are_evaluated_without_the_store_as_with_it(lab: Lab) -> None:
    ran = lab.run(only=("unlearner=retrain", "unlearner=none"))
    _, registry = lab.load()
    tasks = tasks_of(ran)
    here = EvaluationWork.here(PluginInstances(registry), ran.store)
    portable = {task.group.name: elsewhere(here.portable([task])) for task in tasks}
    expected = {task.key: ran.store.get("cell", task.key) for task in tasks}
    shutil.rmtree(ran.store.root)
    for task in tasks:
        result, wanted = portable[task.group.name](task), expected[task.key]  # type: ignore[arg-type]  # a cell's
        assert isinstance(result, CellResult)
        assert wanted is not None
        assert {name: array.tobytes() for name, array in vars(result.scores).items()} == {
            name: array.tobytes() for name, array in wanted.arrays.items()
        }
        assert result.payload() == {name: value for name, value in wanted.payload.items() if name != MEASURED}


def test_the_reason_why_an_episode_failed_is_taken_along(lab: Lab) -> None:
    plan, store = lab.plan(("unlearner=retrain",)), Store(lab.folder / "store")
    (group,) = plan.groups
    for episode in group.episodes:
        store.fail("episode", episode.key, Failure("timeout", "it took longer than 1 s, the limit"))
    _, registry = lab.load()
    portable = EvaluationWork.here(PluginInstances(registry), store).portable([task := CellTask(group, group.name)])
    shutil.rmtree(store.root)
    outcome = elsewhere(portable)(task)  # type: ignore[arg-type]  # a cell's
    assert outcome == Failure("timeout", "target original 0: it took longer than 1 s, the limit")


def test_a_damaged_episode_is_as_damaged_elsewhere(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    ran = lab.run()
    (file, *_) = ran.store.root.glob("episode-*/*/*")
    file.write_bytes(file.read_bytes()[:-1])
    _, registry = lab.load()
    task = next(task for task in tasks_of(ran) if file.name in {each.key for each in task.group.episodes})
    outcome = elsewhere(EvaluationWork.here(PluginInstances(registry), ran.store).portable([task]))(task)  # type: ignore[arg-type]  # a cell's
    assert isinstance(outcome, Failure)
    assert "its stored entry is gone or damaged; run again" in outcome.reason
    assert "is damaged" in caplog.text


def test_a_held_store_holds_what_was_asked_for_and_nothing_else(lab: Lab) -> None:
    ran = lab.run()
    first, second, *_ = ran.plan.episodes
    held: Store = pickle.loads(pickle.dumps(ran.store.held([("episode", first)])))  # noqa: S301 - made by this process
    entry, wanted = held.get("episode", first), ran.store.get("episode", first)
    assert entry is not None
    assert wanted is not None
    assert entry.payload == wanted.payload
    assert held.payload("episode", first) == wanted.payload
    assert held.get("episode", second) is None
    assert held.failure("episode", second) is None


def test_equal_processes_have_equal_fingerprints(lab: Lab) -> None:
    _, registry = lab.load()
    instances = PluginInstances(registry)
    lab.plan()  # loads no data sets of these instances
    work = EpisodeWork.here(instances)
    assert elsewhere(work).fingerprint() == work.fingerprint()
    assert {"numpy", "processor", "instructions", "unlearnbench", "code of unlearnbench"} <= work.fingerprint().keys()


def test_other_data_under_the_same_name_are_refused_and_both_checksums_named(lab: Lab) -> None:
    suite, registry = lab.load()
    instances = PluginInstances(registry)
    dataset = suite.datasets[0]
    right = instances.records(dataset).sha256
    lock = PluginLock.of(registry, {dataset.key: "0" * 64})
    with pytest.raises(UserError, match=rf'data set "breast-cancer": .*{right[:8]} here and 00000000 where'):
        EpisodeWork(lock).fingerprint()
    assert EpisodeWork(instances.lock).fingerprint()


ATTACK = """
from unlearnbench import AttackPlugin, ScoreAttack, hookimpl

class Mine(ScoreAttack):
    def score(self, view):
        return view.before[:, 0]

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="mine", summary="Mine.", factory=Mine)
"""


def test_a_plugin_file_that_is_another_elsewhere_is_refused_and_both_versions_named(lab: Lab) -> None:
    _, registry = lab.load(plugins=[lab.plugin(ATTACK)])
    work = EpisodeWork.here(PluginInstances(registry))
    wanted = registry.get("attack", "mine").source.sha256[:8]
    lab.plugin(ATTACK.replace("before", "after"))
    with pytest.raises(UserError, match=rf'attack "mine" of file .*\({wanted} is wanted; it finds [0-9a-f]{{8}}\)'):
        elsewhere(work).fingerprint()
    (lab.folder / "mine.py").unlink()
    with pytest.raises(UserError, match=r"mine.py: cannot read the plug-in file: No such file or directory"):
        EpisodeWork(PluginLock(work.lock.wanted, frozenset({("again", "")}))).fingerprint()
