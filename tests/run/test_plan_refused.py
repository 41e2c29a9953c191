"""Plans that cannot be made, and what is said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.run.planning import ATTACKS
from unlearnbench.core.errors import UserError
from unlearnbench.hooks.registry import load_registry
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plan import make_plan

if TYPE_CHECKING:
    from tests.run.conftest import Lab


def test_a_gpu_that_is_not_there_is_an_error_only_where_a_model_would_use_it(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    suite, registry = lab.load()
    assert {task.device for task in make_plan(suite, PluginInstances(registry), "cuda").episodes.values()} == {"cpu"}
    suite, registry = lab.load(models=["mlp"])
    with pytest.raises(UserError, match='device "cuda" is not available'):
        make_plan(suite, PluginInstances(registry), "cuda")


OTHERS = """
from unlearnbench import *

class Zero(ScoreAttack):
    needs = Needs(versions="none", features=True)
    def score(self, view):
        return 0.0 * view.features[:, 0]

@hookimpl
def unlearnbench_attacks():
    for name in ("tests", "tests-too"):
        yield AttackPlugin(
            name=name, summary="A control.", factory=Zero, role="control", versions="none", tests_sample=True
        )
"""


def test_a_control_of_others_is_in_a_plan_where_the_suite_lists_it_and_stays_whatever_is_selected(lab: Lab) -> None:
    listed: dict[str, Any] = {"plugins": [lab.plugin(OTHERS)], "attacks": ["sorted-diff", "tests"]}
    plan = lab.plan(("attack=sorted-diff", "unlearner=none"), **listed)
    assert plan.tests.sample == {"blind", "tests"}
    assert {cell.attack.name for cell in plan.cells.values()} == {"sorted-diff", "blind", "tests"}
    assert {ref.name for ref in plan.full.attacks} == {*ATTACKS, "sorted-diff", "tests"}


def test_without_the_classical_attack_nothing_can_be_compared_with_it(lab: Lab) -> None:
    suite, _ = lab.load()
    instances = PluginInstances(load_registry(disabled=["classical"]))
    with pytest.raises(UserError, match=r"the classical attack, .*, is disabled; drop --disable-plugin"):
        make_plan(suite, instances, "cpu")


PLUGIN = """
from unlearnbench import *

class NotAModel:
    pass

class Lost(ScoreAttack):
    baseline = Baseline("no-such-attack")
    def score(self, view):
        return view.before[:, 0]

@hookimpl
def unlearnbench_models():
    yield ModelPlugin(name="no-model", summary="No model.", factory=NotAModel)

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="lost", summary="Compares with nothing.", factory=Lost)
    yield AttackPlugin(name="no-attack", summary="No attack.", factory=NotAModel)
"""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"models": ["no-model"]}, 'model "no-model" is a NotAModel, which does not derive from TargetModel'),
        ({"attacks": ["no-attack"]}, 'attack "no-attack" is a NotAModel, which does not derive from Attack'),
        ({"attacks": ["lost"]}, 'unknown attack "no-such-attack"'),
    ],
)
def test_a_plugin_that_breaks_its_contract_is_told_before_anything_runs(
    lab: Lab, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        lab.plan(plugins=[lab.plugin(PLUGIN)], **change)


def test_engine_fast_refuses_a_model_without_a_fast_path(lab: Lab) -> None:
    with pytest.raises(UserError, match='engine: fast: lightgbm has no fast path on cpu here; use "auto"'):
        lab.plan(models=["decision-tree", "lightgbm"], engine="fast")


def test_engine_fast_shares_the_store_with_auto(lab: Lab) -> None:
    fast, auto = (lab.plan(engine=engine) for engine in ("fast", "auto"))
    assert fast.episodes.keys() == auto.episodes.keys()
    assert {task.engine for task in fast.episodes.values()} == {"fast"}
    assert not fast.episodes.keys() & lab.plan(engine="reference").episodes.keys()
