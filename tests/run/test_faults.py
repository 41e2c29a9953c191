"""A plug-in that raises while a suite is planned costs its own cells, whatever it is asked; all others run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.run.executors import choose_executor
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.runner import Outcome

if TYPE_CHECKING:
    from tests.run.conftest import Lab

BROKEN = """
from unlearnbench import *

from unlearnbench.core.defenses import Defense

class Odd(BaseException):
    pass

def broken(*_):
    raise {error}

class BrokenHere:
    def __get__(self, *_):
        broken()

class NoFile(Dataset):
    def load(self):
        broken()

class NoRecords(Dataset):
    def load(self):
        return {{"x": 1}}

class Tree(TargetModel):
    def fit(self, task, device):
        raise AssertionError

class NoLibrary(Tree):
    def __init__(self) -> None:
        broken()

class NoDevice(Tree):
    uses_device = BrokenHere()

class NoFastPath(Tree):
    has_fast_path = broken

class NoRevision(Tree):
    engine_revision = BrokenHere()

class OddRevision(Tree):
    engine_revision = {{1, 2}}

class NoOptions(Tree):
    options = BrokenHere()

class Keeps(FunctionUnlearner):
    def unlearn(self, deletion):
        return deletion.fitted

class NoMaker(Keeps):
    def __init__(self) -> None:
        broken()

class NoRefusal(Keeps):
    refusal = broken

class OddRefusal(Keeps):
    def refusal(self, model):
        return True

class NoRecordRefusal(Keeps):
    refusal_of_records = broken

class OddRecordRefusal(Keeps):
    def refusal_of_records(self, records):
        return True

class Asks(Scenario):
    def requests(self, pools, sizes, seeds, original):
        return []
    def deletions_needed(self, sizes):
        return sizes.requests

class NoMakerScenario(Asks):
    def __init__(self) -> None:
        broken()

class NoCount(Asks):
    deletions_needed = broken

class NoneDeleted(Asks):
    def deletions_needed(self, sizes):
        return 0

class OddCount(Asks):
    def deletions_needed(self, sizes):
        return "many"

class LessAdded(Asks):
    def additions_needed(self, sizes):
        return -1

class NoAdded(Asks):
    additions_needed = broken

class RefusesNone(Asks):
    refusal_of_records = broken

class OddRecords(Asks):
    def refusal_of_records(self, records):
        return False

class OddEligible(Asks):
    def eligible(self, records):
        return [True] * len(records)

class FewEligible(Asks):
    def eligible(self, records):
        return records.y[1:] == 0

class NoTraining(Defense):
    training = broken

class OddTraining(Defense):
    def training(self):
        return None

class OddPromise(Defense):
    keeps_label = "mostly"

class NoMakerDefense(Defense):
    def __init__(self) -> None:
        broken()

class Scores(ScoreAttack):
    def score(self, view):
        return view.before[:, 0]

class NoMakerAttack(Scores):
    def __init__(self) -> None:
        broken()

class NoNeeds(Scores):
    needs = property(broken)

class OddNeeds(Scores):
    needs = "all"

class OddCopies(Scores):
    needs = Needs(copies="all")

class OddBoundary(Scores):
    needs = Needs(boundary=None)

class NoBaseline(Scores):
    baseline = property(broken)

class OddBaseline(Scores):
    baseline = 3

class NoMetric(Metric):
    def __init__(self) -> None:
        broken()
    def measure(self, cell):
        return {{}}

class NoReads(Metric):
    reads_retrained = BrokenHere()
    def measure(self, cell):
        return {{}}

class NoExecutor(Executor):
    def __init__(self) -> None:
        broken()
    def run(self, work, tasks, limits):
        return iter(())

@hookimpl
def unlearnbench_datasets():
    for factory in (NoFile, NoRecords):
        yield DatasetPlugin(name=factory.__name__.lower(), summary="s", factory=factory)

@hookimpl
def unlearnbench_models():
    for factory in (NoLibrary, NoDevice, NoFastPath, NoRevision, OddRevision, NoOptions):
        yield ModelPlugin(name=factory.__name__.lower(), summary="s", factory=factory)

@hookimpl
def unlearnbench_unlearners():
    for factory in (NoMaker, NoRefusal, OddRefusal, NoRecordRefusal, OddRecordRefusal):
        yield UnlearnerPlugin(name=factory.__name__.lower(), summary="s", factory=factory)

@hookimpl
def unlearnbench_scenarios():
    counts = NoMakerScenario, NoCount, NoneDeleted, OddCount, LessAdded, NoAdded
    for factory in (*counts, RefusesNone, OddRecords, OddEligible, FewEligible):
        yield ScenarioPlugin(name=factory.__name__.lower(), summary="s", factory=factory)

@hookimpl
def unlearnbench_defenses():
    for factory in (NoTraining, OddTraining, OddPromise, NoMakerDefense):
        yield DefensePlugin(name=factory.__name__.lower(), summary="s", factory=factory)

@hookimpl
def unlearnbench_attacks():
    for factory in (NoMakerAttack, NoNeeds, OddNeeds, OddCopies, OddBoundary, NoBaseline, OddBaseline):
        yield AttackPlugin(name=factory.__name__.lower(), summary="s", factory=factory)

@hookimpl
def unlearnbench_metrics():
    for factory in (NoMetric, NoReads):
        yield MetricPlugin(name=factory.__name__.lower(), summary="s", factory=factory)

@hookimpl
def unlearnbench_executors():
    yield ExecutorPlugin(name="noexecutor", summary="s", factory=NoExecutor)
"""

OUT_OF_ORDER = "RuntimeError: out of order"
CASES = {
    ("datasets", "nofile"): OUT_OF_ORDER,
    ("datasets", "norecords"): "TypeError: load gives a dict, which must be Records",
    ("models", "nolibrary"): OUT_OF_ORDER,
    ("models", "nodevice"): OUT_OF_ORDER,
    ("models", "nofastpath"): OUT_OF_ORDER,
    ("models", "norevision"): OUT_OF_ORDER,
    ("models", "oddrevision"): "TypeError: Object of type set is not JSON serializable",
    ("models", "nooptions"): OUT_OF_ORDER,
    ("unlearners", "nomaker"): OUT_OF_ORDER,
    ("unlearners", "norefusal"): OUT_OF_ORDER,
    ("unlearners", "oddrefusal"): "TypeError: refusal gives True, which must be str | None",
    ("unlearners", "norecordrefusal"): OUT_OF_ORDER,
    ("unlearners", "oddrecordrefusal"): "TypeError: refusal_of_records gives True, which must be str | None",
    ("scenarios", "nomakerscenario"): OUT_OF_ORDER,
    ("scenarios", "nocount"): OUT_OF_ORDER,
    ("scenarios", "nonedeleted"): "ValueError: deletions_needed must give an integer from 1 on, got 0",
    ("scenarios", "oddcount"): "ValueError: deletions_needed must give an integer from 1 on, got 'many'",
    ("scenarios", "lessadded"): "ValueError: additions_needed must give an integer from 0 on, got -1",
    ("scenarios", "noadded"): OUT_OF_ORDER,
    ("scenarios", "refusesnone"): OUT_OF_ORDER,
    ("scenarios", "oddrecords"): "TypeError: refusal_of_records gives False, which must be str | None",
    ("scenarios", "oddeligible"): "TypeError: eligible gives [True, True",
    ("scenarios", "feweligible"): "ValueError: eligible must give true or false for each of 569 records",
    ("defenses", "notraining"): OUT_OF_ORDER,
    ("defenses", "oddtraining"): "TypeError: training gives None, which must be TrainingOptions",
    ("defenses", "oddpromise"): "TypeError: keeps_label gives 'mostly', which must be bool",
    ("defenses", "nomakerdefense"): OUT_OF_ORDER,
    ("attacks", "nomakerattack"): OUT_OF_ORDER,
    ("attacks", "noneeds"): OUT_OF_ORDER,
    ("attacks", "oddneeds"): "AttributeError: 'str' object has no attribute 'references'",
    ("attacks", "oddcopies"): "TypeError: needs.copies gives 'all', which must be int",
    ("attacks", "oddboundary"): "TypeError: needs.boundary gives None, which must be bool",
    ("attacks", "nobaseline"): OUT_OF_ORDER,
    ("attacks", "oddbaseline"): "AttributeError: 'int' object has no attribute 'name'",
}
SOUND = {
    "datasets": "breast-cancer",
    "models": "decision-tree",
    "unlearners": "retrain",
    "scenarios": "single",
    "defenses": "none",
    "attacks": "sorted-diff",
}


def broken(lab: Lab, error: str = "RuntimeError('out of order')") -> dict[str, Any]:
    return {"plugins": [lab.plugin(BROKEN.format(error=error))]}


@pytest.mark.parametrize(("axis", "name"), CASES)
def test_a_plugin_that_fails_when_it_is_asked_costs_its_own_cells(lab: Lab, axis: str, name: str) -> None:
    alone = lab.plan(**broken(lab))
    listed: dict[str, Any] = {axis: [SOUND[axis], name]}
    beside = lab.plan(**broken(lab), **listed)
    assert beside.cells.keys() == alone.cells.keys(), "the other cells and their keys are what they were"
    assert beside.skipped == ()
    assert {cell.axes[axis[:-1]].name for cell in beside.failed} == {name}
    (reason,) = {cell.reason for cell in beside.failed}
    assert reason.startswith(f'{axis[:-1]} "{name}": {CASES[axis, name]}')
    assert len(beside.failed) > 0


@pytest.mark.parametrize("name", ["nometric", "noreads"])
def test_a_metric_that_fails_costs_all_cells_since_each_has_it(lab: Lab, name: str) -> None:
    plan = lab.plan(**broken(lab), metrics=["auc", name])
    assert (plan.groups, plan.skipped) == ((), ())
    assert {cell.reason for cell in plan.failed} == {f'metric "{name}": {OUT_OF_ORDER}'}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("SystemExit('enough')", "SystemExit: enough"),
        ("Odd('of its own')", "Odd: of its own"),
        ("ImportError('no such library')", "ImportError: no such library"),
        ("FileNotFoundError(2, 'none', 'caf\\udce9')", r"FileNotFoundError: [Errno 2] none: 'caf\udce9'"),
        ("KeyError('x' * 10**6)", "KeyError: 'xxx"),
    ],
)
def test_whatever_it_raises_is_its_reason(lab: Lab, error: str, said: str) -> None:
    named: dict[str, Any] = {"datasets": ["breast-cancer", "nofile"], "models": ["decision-tree", "nolibrary"]}
    plan = lab.plan(**broken(lab, error), **named)
    reasons = {cell.reason for cell in plan.failed}
    assert all(said in reason and len(reason) < 330 for reason in reasons)
    assert {reason.partition(":")[0] for reason in reasons} == {'dataset "nofile"', 'model "nolibrary"'}
    assert {cell.model.name for cell in plan.cells.values()} == {"decision-tree"}


def test_a_users_error_is_told_before_anything_runs(lab: Lab) -> None:
    with pytest.raises(UserError, match=r"^fetch it first$"):
        lab.plan(**broken(lab, "UserError('fetch it first')"), datasets=["breast-cancer", "nofile"])


def test_ctrl_c_stops_the_planning(lab: Lab) -> None:
    with pytest.raises(KeyboardInterrupt):
        lab.plan(**broken(lab, "KeyboardInterrupt"), datasets=["breast-cancer", "nofile"])


def test_all_other_cells_run_and_the_failed_ones_are_rows_with_the_reason(lab: Lab) -> None:
    names: dict[str, Any] = {"models": ["decision-tree", "nolibrary"], "attacks": ["sorted-diff", "noneeds"]}
    ran = lab.run(only=("unlearner=none", "attack=sorted-diff", "attack=noneeds"), **broken(lab), **names)
    assert ran.outcome == Outcome(done=2, failed=4, skipped=0)
    assert ran.row(model="decision-tree", attack="sorted-diff").status == "ok"
    failed = ran.row(model="nolibrary", attack="sorted-diff")
    assert (failed.status, failed.reason) == ("failed", f'model "nolibrary": {OUT_OF_ORDER}')
    assert ran.row(model="decision-tree", attack="noneeds").reason == f'attack "noneeds": {OUT_OF_ORDER}'
    assert ran.plan.summary(ran.store)["cells failed"] == 4


def test_what_a_suite_excludes_is_skipped_though_it_would_fail(lab: Lab) -> None:
    rule = {"model": "nolibrary", "because": "not here"}
    plan = lab.plan(**broken(lab), models=["decision-tree", "nolibrary"], exclude=[rule])
    assert plan.failed == ()
    assert {cell.reason for cell in plan.skipped} == {"not here"}


def test_the_adversarys_data_and_model_are_asked_too(lab: Lab) -> None:
    data = {"name": "breast-cancer", "shadow": "nofile"}
    model = {"name": "decision-tree", "shadow": "nolibrary"}
    plan = lab.plan(**broken(lab), datasets=["breast-cancer", data], models=["decision-tree", model])
    assert {cell.reason for cell in plan.failed} == {
        f'dataset "nofile": {OUT_OF_ORDER}',
        f'model "nolibrary": {OUT_OF_ORDER}',
    }
    assert {(cell.dataset.label, cell.model.label) for cell in plan.cells.values()} == {
        ("breast-cancer", "decision-tree")
    }


def test_a_plugin_is_asked_once_however_many_cells_it_has(lab: Lab) -> None:
    asked = BROKEN.replace("def broken(*_):", "ASKED = []\n\ndef broken(*_):\n    ASKED.append(1)")
    suite, registry = lab.load(plugins=[lab.plugin(asked.format(error="RuntimeError"))], datasets=["nofile"])
    from unlearnbench.run.plan import make_plan

    plan = make_plan(suite, PluginInstances(registry), "cpu")
    assert len(plan.failed) > 10
    factory: Any = registry.get("dataset", "nofile").load()
    assert len(factory.load.__globals__["ASKED"]) == 1


def test_an_executor_that_cannot_be_made_is_told_in_one_line(lab: Lab) -> None:
    _, registry = lab.load(**broken(lab))
    with pytest.raises(UserError, match=r'^executor "noexecutor": RuntimeError: out of order$'):
        choose_executor(PluginInstances(registry), "noexecutor")
