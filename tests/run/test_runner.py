"""What goes wrong in one cell stays there: typed, with a reason, beside results that are as they would have been."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unlearnbench.builtin.executors.serial import SerialExecutor
from unlearnbench.hooks.observers import Observer, Observers
from unlearnbench.hooks.sources import Source
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plan import make_plan
from unlearnbench.run.runner import Outcome, Runner
from unlearnbench.run.selection import Selection
from unlearnbench.run.store import Store

if TYPE_CHECKING:
    from tests.run.conftest import Lab, Ran

ATTACKS = """
import sys
import numpy as np
from unlearnbench import AttackPlugin, Needs, ScoreAttack, hookimpl

class NotANumber(ScoreAttack):
    def score(self, view):
        return np.full(len(view), np.nan)

class Short(ScoreAttack):
    def score(self, view):
        return np.zeros(len(view) - 1)

class Undeclared(ScoreAttack):
    def score(self, view):
        return view.label.astype(float)

class Raises(ScoreAttack):
    def score(self, view):
        raise RuntimeError("the first line\\nand a second")

class Exits(ScoreAttack):
    def score(self, view):
        sys.exit("enough")

@hookimpl
def unlearnbench_attacks():
    for cls, name in (
        (NotANumber, "not-a-number"), (Short, "short"), (Undeclared, "undeclared"), (Raises, "raises"), (Exits, "exits")
    ):
        yield AttackPlugin(name=name, summary="Fails.", factory=cls)
"""
REASONS = {
    "not-a-number": "ValueError: an attack must give one finite score for each of",
    "short": "ValueError: an attack must give one finite score for each of",
    "undeclared": "UndeclaredNeedError: this attack reads the label",
    "raises": "RuntimeError: the first line",
    "exits": "SystemExit: enough",
}


def test_an_attack_that_fails_costs_its_own_cells_only(lab: Lab, tiny: Ran) -> None:
    ran = lab.run(attacks=["sorted-diff", *REASONS], plugins=[lab.plugin(ATTACKS)])
    assert ran.outcome == Outcome(done=6, failed=5, skipped=0)
    for name, reason in REASONS.items():
        row = ran.row(attack=name)
        assert (row.status, row.metrics) == ("failed", {})
        assert row.reason.startswith(reason)
        assert len(row.reason.splitlines()) == 1
    sound = [row for row in ran.rows if row.status == "ok"]
    assert len(sound) == 6
    for row in sound:
        known = tiny.row(**row.names).metrics
        assert {k: v for k, v in row.metrics.items() if "seconds" not in k} == {
            k: v for k, v in known.items() if "seconds" not in k
        }


def test_a_failure_keeps_its_traceback_in_the_store(lab: Lab) -> None:
    ran = lab.run(attacks=["raises"], plugins=[lab.plugin(ATTACKS)])
    (key,) = (key for key, cell in ran.plan.cells.items() if cell.attack.name == "raises")
    failure = ran.store.failure("cell", key)
    assert failure is not None
    assert "in score" in failure.traceback
    assert failure.traceback.endswith("RuntimeError: the first line\nand a second\n")


UNLEARNER = """
from unlearnbench import FunctionUnlearner, UnlearnerPlugin, hookimpl

class Raises(FunctionUnlearner):
    def unlearn(self, deletion):
        raise RuntimeError("cannot forget")

@hookimpl
def unlearnbench_unlearners():
    yield UnlearnerPlugin(name="raises", summary="Fails.", factory=Raises)
"""


def test_an_unlearner_that_raises_fails_its_rows_with_the_episode_and_reason(lab: Lab) -> None:
    ran = lab.run(only=("unlearner=raises", "unlearner=none"), unlearners=["raises"], plugins=[lab.plugin(UNLEARNER)])
    assert ran.outcome == Outcome(done=6, failed=6, skipped=0)
    rows = [row for row in ran.rows if row.names["unlearner"] == "raises"]
    assert {row.reason for row in rows} == {"target original 0: RuntimeError: cannot forget"}


MODEL = """
import numpy as np
from unlearnbench import ModelPlugin, TargetModel, hookimpl

class Answers:
    def __init__(self, wrong):
        self.wrong = wrong
    def log_posteriors(self, x):
        answer = np.full((len(x), 2), np.log(0.5))
        return {"nan": answer * np.nan, "classes": answer[:, :1]}[self.wrong]

class Wrong(TargetModel):
    def __init__(self, wrong: str) -> None:
        self.wrong = wrong
    def fit(self, task, device):
        return Answers(self.wrong)

@hookimpl
def unlearnbench_models():
    yield ModelPlugin(name="wrong", summary="Answers wrongly.", factory=Wrong)
"""


@pytest.mark.parametrize("wrong", ["nan", "classes"])
def test_a_model_whose_answers_are_no_posteriors_fails_and_nothing_is_attacked(lab: Lab, wrong: str) -> None:
    models = [{"name": "wrong", "params": {"wrong": wrong}}]
    ran = lab.run(only=("unlearner=none",), models=models, plugins=[lab.plugin(MODEL)], attacks=["blind"])
    assert {row.status for row in ran.rows} == {"failed"}
    assert all("a model must answer with log-posteriors" in row.reason for row in ran.rows)


METRICS = """
import numpy as np
from unlearnbench import Estimate, Metric, MetricPlugin, hookimpl

class Raises(Metric):
    def measure(self, cell):
        if len(np.unique(cell.scores)) == 2:
            raise RuntimeError("cannot measure")
        return {"mine": Estimate(1.0, n=1, status="no-interval", reason="one row")}

class Infinite(Metric):
    def measure(self, cell):
        return {"mine": Estimate(float("inf"))}

class Odd(Metric):
    def measure(self, cell):
        return {"mine": Estimate(1.0, n=np.int64(3))}

@hookimpl
def unlearnbench_metrics():
    yield MetricPlugin(name="raises", summary="Fails.", factory=Raises)
    yield MetricPlugin(name="infinite", summary="Fails.", factory=Infinite)
    yield MetricPlugin(name="odd", summary="Fails.", factory=Odd)
"""


def test_a_metric_that_raises_for_one_attack_costs_that_attacks_cell(lab: Lab) -> None:
    ran = lab.run(metrics=["raises"], plugins=[lab.plugin(METRICS)])
    assert ran.row(attack="oracle-label").reason == "RuntimeError: cannot measure"
    assert ran.row(attack="random").metrics["mine"].value == 1.0
    assert ran.outcome.failed >= 1


@pytest.mark.parametrize(
    ("metric", "said"),
    [("infinite", "ValueError: inf [None, None] is not finite"), ("odd", "TypeError: Object of type int64")],
)
def test_a_metric_that_gives_what_cannot_be_stored_is_a_failed_cell_and_no_crash(
    lab: Lab, metric: str, said: str
) -> None:
    ran = lab.run(metrics=[metric], plugins=[lab.plugin(METRICS)])
    assert {row.status for row in ran.rows} == {"failed"}
    assert all(row.reason.startswith(said) for row in ran.rows)


FLAKY = """
from pathlib import Path
from unlearnbench import AttackPlugin, FunctionUnlearner, ScoreAttack, UnlearnerPlugin, hookimpl

HERE = Path(__file__).parent

def attempt(what):
    with (HERE / "attempts").open("a") as log:
        print(what, file=log)
    if (HERE / "broken").exists():
        raise RuntimeError("out of order")

class Flaky(ScoreAttack):
    def fit(self, shadow, rng):
        attempt("attack")
        return self
    def score(self, view):
        return view.before[:, 0]

class FlakyToo(FunctionUnlearner):
    def unlearn(self, deletion):
        attempt("unlearner")
        return deletion.fitted

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="flaky", summary="At times.", factory=Flaky)

@hookimpl
def unlearnbench_unlearners():
    yield UnlearnerPlugin(name="flaky", summary="At times.", factory=FlakyToo)
"""


class Flaky:
    """Runs a suite with an attack or an unlearner that can be broken and mended."""

    def __init__(self, lab: Lab, kind: str) -> None:
        self.lab = lab
        self.named = {f"{kind}s": ["flaky"], "plugins": [lab.plugin(FLAKY)]}
        self.only = ("unlearner=flaky",) if kind == "unlearner" else ("unlearner=none", "attack=flaky")

    def run(self, rerun: str = "failed", broken: bool = False) -> tuple[Outcome, int]:
        """Run it, and return the outcome and how often the plug-in was asked."""
        (self.lab.folder / "broken").touch() if broken else (self.lab.folder / "broken").unlink(missing_ok=True)
        log = self.lab.folder / "attempts"
        log.write_text("")
        ran = self.lab.run(only=self.only, rerun=rerun, **self.named)  # type: ignore[arg-type]  # words of Rerun
        return ran.outcome, len(log.read_text().splitlines())


@pytest.mark.parametrize(("kind", "cells"), [("attack", 2), ("unlearner", 6)])
def test_failed_work_is_tried_again_unless_never_is_said(lab: Lab, kind: str, cells: int) -> None:
    flaky = Flaky(lab, kind)
    failed = 1 if kind == "attack" else cells
    outcome, tries = flaky.run(broken=True)
    assert outcome == Outcome(cells - failed, failed, 0)
    assert tries > 0
    assert flaky.run(broken=True)[1] == tries, "failed is the default"
    assert flaky.run("never") == (outcome, 0), "mended, but not tried"
    assert flaky.run("failed")[0] == Outcome(cells, 0, 0)
    assert flaky.run("failed") == (Outcome(cells, 0, 0), 0), "what is done is done"
    assert flaky.run("never") == (Outcome(cells, 0, 0), 0)
    again, tries = flaky.run("all")
    assert again == Outcome(cells, 0, 0)
    assert tries > 0
    assert flaky.run("all", broken=True)[0] == outcome


def test_failures_are_gone_once_mended(lab: Lab) -> None:
    flaky = Flaky(lab, "attack")
    flaky.run(broken=True)
    failures = lab.folder / "store" / "failures"
    assert len(list(failures.rglob("*.json"))) == 1
    flaky.run()
    assert not list(failures.rglob("*.json"))


def test_without_unlearning_every_attack_on_both_models_is_exactly_at_chance(lab: Lab) -> None:
    two = ["sorted-diff", "direct-diff", "euclidean", "score-diff", "score-ratio"]
    ran = lab.run(only=("unlearner=none",), attacks=two, episodes={"originals": 5, "requests": 3, "records": 80})
    for attack in two:
        for name in ("auc", "auc-matched", "auc-retained"):
            estimate = ran.row(attack=attack).metrics[name]
            assert (estimate.value, estimate.status) == (0.5, "degenerate"), (attack, name)
            assert estimate.low is estimate.high is None
    assert ran.row(attack="oracle-label").metrics["auc"].value == 1
    assert ran.row(attack="sorted-diff").metrics["identical-forgotten"].value == 1


def test_observers_are_told_of_the_run_each_cell_and_each_failure(lab: Lab) -> None:
    told: list[str] = []

    def listen(hook: str, takes: tuple[str, ...]) -> Observer:
        return Observer(hook, lambda *_: told.append(hook), takes, Source("file", "here.py"))

    suite, registry = lab.load(attacks=["raises", "random"], plugins=[lab.plugin(ATTACKS)])
    listening = Observers(
        (
            listen("before_run", ("suite", "plan")),
            listen("after_cell", ("cell", "results")),
            listen("on_cell_error", ("cell", "error")),
            listen("after_run", ("suite", "results")),
        )
    )
    instances = PluginInstances(replace(registry, observers=listening))
    plan = make_plan(suite, instances, "cpu", Selection.parse(["unlearner=none"]))
    Runner(instances, Store(lab.folder / "store"), SerialExecutor()).run(plan)
    assert (told[0], told[-1]) == ("before_run", "after_run")
    assert (told.count("after_cell"), told.count("on_cell_error")) == (5, 1)


def test_a_run_leaves_no_scratch_behind(tiny: Ran) -> None:
    assert list((tiny.store.root / "tmp").iterdir()) == []
    assert {path.name for path in tiny.store.root.iterdir()} == {"tmp", "lock", "cell-5", "episode-3"}


def test_every_episode_tells_where_it_was_made(tiny: Ran) -> None:
    from unlearnbench.run.environment import fingerprint

    for key in tiny.plan.episodes:
        entry = tiny.store.get("episode", key)
        assert entry is not None
        assert entry.payload["environment"] == fingerprint()


def test_a_store_tells_no_path(tiny: Ran) -> None:
    home = str(Path(tiny.store.root).parent)
    assert not [path for path in tiny.store.root.rglob("*.json") if home in path.read_text()]


def test_the_manifest_of_an_episode_says_which_engine_made_it_where(lab: Lab) -> None:
    ran = lab.run(engine="reference")
    for key in ran.plan.episodes:
        entry = ran.store.get("episode", key)
        assert entry is not None
        assert (entry.payload["engine"], entry.payload["device"]) == ("reference", "cpu")
