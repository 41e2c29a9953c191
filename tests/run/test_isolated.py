"""Attacks in processes of their own: what they are given, what comes back, and what their end does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unlearnbench.core.observations import Needs
from unlearnbench.hooks.registry import load_registry
from unlearnbench.run.failures import FailedElsewhereError
from unlearnbench.run.instances import PluginInstances, default_ref
from unlearnbench.run.isolated import AttackProcess, IsolatedAttack
from unlearnbench.run.plugin_lock import PluginLock
from unlearnbench.testing.samples import game

CODE = """
import os
import sys

import numpy as np

from unlearnbench import AttackPlugin, Needs, ScoreAttack, hookimpl


def write_into_all_pipes(what):
    told = {"babble": bytes([255] * 64), "forge": b'e["lost", "reason", ""]', "deep": b"e" + b"[" * 100_000}[what]
    for descriptor in range(3, 20):
        try:
            os.write(descriptor, told if what == "babble" else len(told).to_bytes(8, "little") + told)
        except OSError:
            pass


class Odd(ScoreAttack):
    needs = Needs(versions="original")

    def __init__(self, what: str = "score") -> None:
        self.what = what

    def score(self, view):
        print("this is not an answer")
        scores = view.before[:, 0]
        match self.what:
            case "die":
                os._exit(3)
            case "raise":
                raise RuntimeError("it is broken\\nin two lines")
            case "objects":
                return np.array([{}] * len(view), dtype=object)
            case "memory":
                raise MemoryError("not so much")
            case "babble" | "forge" | "deep":
                write_into_all_pipes(self.what)
            case "look":
                raise RuntimeError(repr([sys.argv, os.getcwd(), os.listdir(), sorted(os.environ)]))
        return scores


@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="odd", summary="Odd.", factory=Odd, versions="original")
"""


@pytest.fixture
def instances(tmp_path: Any) -> PluginInstances:
    file = tmp_path / "odd.py"
    file.write_text(CODE)
    return PluginInstances(load_registry([file]))


def odd(instances: PluginInstances, what: str = "score") -> tuple[Any, Any]:
    return instances.attack_twice(default_ref(instances.registry, "attack", "odd", {"what": what}))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def scored(instances: PluginInstances, what: str) -> Any:
    attack, _ = odd(instances, what)
    return attack.fit(game(seed=1).shadow(attack.needs), rng()).score(game(seed=2).view(attack.needs))


def test_scores_are_those_of_the_attack_whatever_it_prints(instances: PluginInstances) -> None:
    assert np.array_equal(scored(instances, "score"), game(seed=2).before[:, 0])


def test_an_attack_and_its_check_are_in_two_processes_that_serve_the_whole_run(instances: PluginInstances) -> None:
    (first, second), (again, _) = odd(instances), odd(instances)
    assert isinstance(first, IsolatedAttack)
    assert first.process is again.process is not second.process
    assert first.needs == Needs(versions="original")


def test_a_built_in_attack_stays_in_this_process(instances: PluginInstances) -> None:
    ref = default_ref(instances.registry, "attack", "classical")
    first, second = instances.attack_twice(ref)
    assert type(first) is type(second) is type(instances.make(ref, object))
    assert first is not second


def test_what_an_attack_raises_is_the_failure_in_one_line(instances: PluginInstances) -> None:
    with pytest.raises(FailedElsewhereError) as raised:
        scored(instances, "raise")
    assert raised.value.failure.status == "failed"
    assert raised.value.failure.reason == "RuntimeError: it is broken in two lines"
    assert "in score" in raised.value.failure.traceback


def test_objects_are_no_scores(instances: PluginInstances) -> None:
    with pytest.raises(FailedElsewhereError, match="their type is object"):
        scored(instances, "objects")


def test_a_process_that_ends_is_a_crash_and_the_next_attack_has_another(instances: PluginInstances) -> None:
    with pytest.raises(FailedElsewhereError) as raised:
        scored(instances, "die")
    assert raised.value.failure.status == "crashed"
    assert scored(instances, "score").size


def test_memory_that_an_attack_cannot_have_is_told_as_that(instances: PluginInstances) -> None:
    with pytest.raises(FailedElsewhereError) as raised:
        scored(instances, "memory")
    assert (raised.value.failure.status, raised.value.failure.reason) == ("out of memory", "MemoryError: not so much")


@pytest.mark.parametrize("what", ["babble", "forge", "deep"])
def test_what_an_attack_writes_into_the_pipes_of_its_process_is_no_answer_of_this_or_the_next(
    instances: PluginInstances, what: str
) -> None:
    with pytest.raises(FailedElsewhereError) as raised:
        scored(instances, what)
    assert (raised.value.failure.status, raised.value.failure.reason) == ("crashed", "its process gives no answer")
    assert np.array_equal(scored(instances, "score"), game(seed=2).before[:, 0])


def test_the_process_holds_neither_the_folder_nor_the_command_line_nor_settings_of_the_run(
    instances: PluginInstances, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNLEARNBENCH_DATA", "somewhere")
    with pytest.raises(FailedElsewhereError) as raised:
        scored(instances, "look")
    said = raised.value.failure.reason
    assert f"'{Path.cwd()}'" not in said
    assert "'UNLEARNBENCH_DATA'" not in said
    assert "'PWD'" not in said
    assert ", []," in said, "its folder is empty"
    assert "pytest" not in said.partition("]")[0], "its command line is not that of the run"


def test_the_process_and_its_folder_end_with_the_object(instances: PluginInstances) -> None:
    process = AttackProcess(PluginLock.of(instances.registry))
    child = process._started()
    process.close()
    assert child.returncode is not None
    process.close()  # nothing is left to end


def test_only_the_attack_that_was_fitted_last_scores(instances: PluginInstances) -> None:
    attack, _ = odd(instances)
    view = game(seed=1).shadow(attack.needs)
    old = attack.fit(view, rng())
    attack.fit(view, rng())
    with pytest.raises(RuntimeError, match="fitted last"):
        old.score(view)


def test_a_process_whose_other_end_is_gone_ends_and_removes_its_folder(instances: PluginInstances) -> None:
    """As where the process of a run is killed: it cannot end its children."""
    process = AttackProcess(PluginLock.of(instances.registry))
    child = process._started()
    assert child.stdin is not None
    folder = Path(f"/proc/{child.pid}/cwd")
    place = folder.readlink() if folder.exists() else None
    child.stdin.close()
    assert child.wait(30) == 0
    assert place is None or not place.exists()
    process.close()
