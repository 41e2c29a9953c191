from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.registry import Registry, load_registry
from unlearnbench.run.cells import Cell
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plan import make_plan
from unlearnbench.run.selection import Selection
from unlearnbench.run.store import Store

if TYPE_CHECKING:
    from tests.run.conftest import Lab, Ran

CONTROLS = {"none", "random-noise", "noise-floor", "retrain"}
ATTACKS = {"random", "blind", "oracle-label", "classical", "forgetting"}


def test_controls_and_the_classical_baseline_stand_in_every_plan(lab: Lab) -> None:
    plan = lab.plan(unlearners=["sisa"], attacks=["euclidean"], metrics=["utility"])
    assert {cell.unlearner.name for cell in plan.cells.values()} == {*CONTROLS, "sisa"}
    assert {cell.attack.name for cell in plan.cells.values()} == {*ATTACKS, "euclidean"}
    assert {ref.name for group in plan.groups for ref in group.metrics} == {"utility", "auc"}
    assert [ref.name for ref in plan.suite.unlearners] == ["sisa"]


def test_what_a_suite_lists_is_not_added_again(lab: Lab) -> None:
    noisy = {"name": "random-noise", "params": {"sigma": 0.5}}
    plan = lab.plan(unlearners=[noisy], attacks=["blind", "random"])
    told = {cell.unlearner.label for cell in plan.cells.values()}
    assert told == {"random-noise(sigma=0.5)", "none", "noise-floor", "retrain"}
    assert Counter(cell.attack.name for cell in plan.cells.values()) == dict.fromkeys(ATTACKS, 4)


def test_a_plan_counts_cells_episodes_and_models(lab: Lab) -> None:
    plan = lab.plan(models=["decision-tree", "logistic-regression"], seeds=[0, 1], defenses=["none", "label-only"])
    attacks, unlearners = len(ATTACKS) + 1, len(CONTROLS)
    groups = 2 * unlearners * 2
    originals = 2 * 2 * (2 + 2)  # of two models and two seeds; all unlearners share them
    assert len(plan.groups) == groups
    assert plan.summary(Store(lab.folder / "store")) == {
        "cells": groups * 2 * attacks,
        "cells cached": 0,
        "cells skipped": 0,
        "cells failed": 0,
        "episodes": groups * (2 + 2),
        "episodes cached": 0,
        "models": originals + groups * 4 * 3,
        "models to train": originals + groups * 4 * 3,
    }


def test_a_plan_counts_what_the_store_holds(tiny: Ran) -> None:
    told = tiny.plan.summary(tiny.store)
    assert told["cells cached"] == told["cells"] == len(tiny.plan.cells)
    assert told["episodes cached"] == told["episodes"]
    assert told["models to train"] == 0


def test_planning_trains_nothing_and_writes_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: object) -> None:
        raise AssertionError("a plan must not train")

    monkeypatch.setattr("unlearnbench.builtin.models.decision_tree.DecisionTree.fit", train)
    before = set(lab.folder.iterdir()) | {lab.folder / "tiny.yaml"}
    lab.plan().summary(Store(lab.folder / "store"))
    assert set(lab.folder.iterdir()) == before


def test_an_adversary_of_other_sizes_gets_its_own_episodes(lab: Lab) -> None:
    plan = lab.plan(("unlearner=retrain",), adversary={"originals": 4, "records": 60})
    (group,) = plan.groups
    assert (len(group.target), len(group.shadow)) == (2, 4)
    assert {task.sizes.records for task in group.target} == {80}
    assert {task.sizes.records for task in group.shadow} == {60}


def test_excluded_cells_are_skipped_with_the_reason_of_the_rule(lab: Lab) -> None:
    rule = {"model": "logistic-regression", "defense": "label-only", "because": "looked at elsewhere"}
    models, defenses = ["decision-tree", "logistic-regression"], ["none", "label-only"]
    plan = lab.plan(models=models, defenses=defenses, exclude=[rule])
    assert {cell.reason for cell in plan.skipped} == {"looked at elsewhere"}
    assert {(cell.model.name, cell.defense.name) for cell in plan.skipped} == {("logistic-regression", "label-only")}
    assert len(plan.skipped) + len(plan.cells) == 2 * 2 * len(CONTROLS) * (len(ATTACKS) + 1)
    assert not any(cell.reason for cell in plan.cells.values())


def test_a_model_that_cannot_be_trained_on_the_records_is_skipped_with_the_reason(lab: Lab) -> None:
    plan = lab.plan(datasets=["breast-cancer", "adult"], models=["simple-cnn", "decision-tree"], unlearners=["retrain"])
    assert plan.skipped
    assert {cell.model.name for cell in plan.skipped} == {"simple-cnn"}
    assert {cell.model.name for cell in plan.cells.values()} == {"decision-tree"}
    for cell in plan.skipped:
        assert cell.reason.startswith("simple-cnn needs images: records of shape (height, width)")


def test_an_unlearner_that_cannot_be_used_with_the_records_is_skipped_with_the_reason(lab: Lab) -> None:
    """Digits are images, whose levels have bounds."""
    plan = lab.plan(
        ("attack=sorted-diff",),
        datasets=["digits", "breast-cancer"],
        models=["mlp"],
        unlearners=["retrain", "boundary-shrink", "amun"],
    )
    assert {(cell.dataset.name, cell.unlearner.name) for cell in plan.skipped} == {
        ("breast-cancer", "boundary-shrink"),
        ("breast-cancer", "amun"),
    }
    told = "needs a data set with `bounds`, within which features may be changed; breast-cancer has none"
    assert {cell.reason for cell in plan.skipped} == {told}


def test_a_model_that_cannot_keep_its_draws_is_skipped_with_the_reason(lab: Lab) -> None:
    redrawn = {"name": "random-forest", "params": {"draws": "redrawn", "n_estimators": 3}}
    ways = ["retrain", {"name": "retrain", "params": {"order": "compact"}}]
    fresh = {"name": "retrain", "params": {"init": "fresh", "order": "fresh"}}
    plan = lab.plan(("attack=sorted-diff",), models=[redrawn], unlearners=[*ways, fresh])
    assert {cell.unlearner.label for cell in plan.skipped} == {"retrain", "retrain(order=compact)"}
    for cell in plan.skipped:
        assert cell.reason == (
            f"RandomForest cannot keep its other draws still under order: {cell.unlearner.params['order']}; "
            "use order: fresh"
        )
    assert "retrain(init=fresh, order=fresh)" in {cell.unlearner.label for cell in plan.cells.values()}


def test_slices_are_skipped_for_models_that_cannot_go_on_training(lab: Lab) -> None:
    plan = lab.plan(unlearners=[{"name": "sisa", "params": {"shards": 2, "slices": 2}}])
    assert {cell.unlearner.name for cell in plan.skipped} == {"sisa"}
    assert all("cannot continue training" in cell.reason for cell in plan.skipped)


REFERENCES = """
from unlearnbench import AttackPlugin, Needs, ScoreAttack, hookimpl

class Likelihood(ScoreAttack):
    needs = Needs(references=64)

    def score(self, view):
        return view.references.after.mean(axis=1)

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="likelihood", summary="Needs reference models.", factory=Likelihood)
"""


def test_an_attack_that_needs_reference_models_is_skipped_with_both_numbers(lab: Lab) -> None:
    plan = lab.plan(attacks=["likelihood"], plugins=[lab.plugin(REFERENCES)])
    reasons = {cell.reason for cell in plan.skipped if cell.attack.name == "likelihood"}
    assert reasons == {"needs 64 reference models, the suite's adversary offers 0"}
    assert "likelihood" not in {cell.attack.name for cell in plan.cells.values()}


def test_so_is_one_that_needs_a_larger_population(lab: Lab) -> None:
    plan = lab.plan(attacks=["population"], adversary={"population": 40})
    reasons = {cell.reason for cell in plan.skipped if cell.attack.name == "population"}
    assert reasons == {"needs a population of 100, the suite's adversary offers 40"}


def test_with_enough_reference_models_it_runs_in_a_process_of_its_own(lab: Lab) -> None:
    code = REFERENCES.replace("64", "4")
    sizes = {"originals": 2, "requests": 3, "records": 80, "negatives": 10, "matched": 0, "retained": 4}
    changes: dict[str, Any] = {"plugins": [lab.plugin(code)], "adversary": {"references": 4}, "episodes": sizes}
    ran = lab.run(attacks=["likelihood"], **changes)
    assert ran.row(attack="likelihood").status == "ok"


def test_only_keeps_what_has_the_name_or_label(lab: Lab) -> None:
    trees = [{"name": "decision-tree", "params": {"max_leaf_nodes": n}} for n in (5, 10, 20)]
    by_label = lab.plan(("model=decision-tree(max_leaf_nodes=5)", "model=decision-tree"), models=trees)
    assert {cell.model.label for cell in by_label.cells.values()} == {
        "decision-tree(max_leaf_nodes=5)",
        "decision-tree(max_leaf_nodes=20)",
        "decision-tree",
    }
    one = lab.plan(("model=decision-tree(max_leaf_nodes=5)", "unlearner=none", "seed=1"), models=trees, seeds=[0, 1])
    told = {(cell.model.label, cell.unlearner.name, cell.seed) for cell in one.cells.values()}
    assert told == {("decision-tree(max_leaf_nodes=5)", "none", 1)}


def test_cells_that_only_leaves_out_are_never_made(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Cell] = []

    def make(*parts: object) -> Cell:
        made.append(Cell(*parts))  # type: ignore[arg-type]  # the arguments of a cell, as they come
        return made[-1]

    monkeypatch.setattr("unlearnbench.run.expansion.Cell", make)
    trees = [{"name": "decision-tree", "params": {"max_leaf_nodes": n}} for n in (5, 10)]
    plan = lab.plan(("unlearner=none", "attack=random", "seed=2"), models=trees, seeds=[0, 1, 2])
    assert len(made) == len(plan.cells) == 2 * 2
    assert len(plan.full.unlearners) == len(CONTROLS)


def test_a_data_set_that_only_leaves_out_is_not_loaded(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(_: object) -> None:
        raise AssertionError("nobody needs it")

    monkeypatch.setattr("unlearnbench.builtin.datasets.digits.Digits.load", load)
    plan = lab.plan(("dataset=breast-cancer",), datasets=["breast-cancer", "digits"])
    assert {cell.dataset.name for cell in plan.cells.values()} == {"breast-cancer"}


def test_only_keeps_blind_with_any_attack_since_it_tells_which_rows_are_valid(lab: Lab) -> None:
    plan = lab.plan(("attack=sorted-diff", "unlearner=retrain"))
    assert {cell.attack.name for cell in plan.cells.values()} == {"sorted-diff", "blind"}


def test_only_keeps_skipped_cells_too(lab: Lab) -> None:
    rule = {"model": "decision-tree", "because": "elsewhere"}
    models = ["decision-tree", "logistic-regression"]
    plan = lab.plan(("model=decision-tree",), models=models, exclude=[rule])
    assert not plan.cells
    assert {cell.model.name for cell in plan.skipped} == {"decision-tree"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sorted-diff", '--only sorted-diff: must be key=value, for example "attack=sorted-diff"'),
        ("attack=", "--only attack=: must be key=value"),
        ("atack=sorted-diff", "--only atack=sorted-diff: unknown key 'atack'; did you mean \"attack\"?"),
        ("metric=auc", "--only metric=auc: unknown key 'metric'"),
        ("=x", "--only =x: unknown key ''"),
        ("attack=sorted-dif", '--only attack=sorted-dif: the suite has no such attack; did you mean "sorted-diff"?'),
        ("seed=7", "--only seed=7: the suite has no such seed; known: 0"),
        ("model=lightgbm", "--only model=lightgbm: the suite has no such model; known: decision-tree"),
    ],
)
def test_a_wrong_selection_is_told_in_one_line(lab: Lab, text: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        lab.plan((text,))
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_selections_of_one_key_widen_and_of_several_narrow() -> None:
    selection = Selection.parse(["attack=a", "attack=b", "model=m=1"])
    assert selection.only == {"attack": {"a", "b"}, "model": {"m=1"}}


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


def test_a_model_that_cannot_be_trained_as_a_defense_asks_is_skipped_with_the_reason(lab: Lab) -> None:
    plan = lab.plan(defenses=["none", "dp-sgd"])
    assert {cell.defense.name for cell in plan.cells.values()} == {"none"}
    assert {cell.reason for cell in plan.skipped} == {"decision-tree cannot be trained with dp"}


def test_a_defense_in_publication_has_episodes_of_its_own_and_one_at_release_shares_them(lab: Lab) -> None:
    plan = lab.plan(("unlearner=retrain",), defenses=["none", "label-only", "batched-release"])
    apart, shared = sorted(plan.groups, key=lambda group: len({cell.defense.name for cell in group.cells.values()}))
    assert {cell.defense.name for cell in apart.cells.values()} == {"batched-release"}
    assert {cell.defense.name for cell in shared.cells.values()} == {"none", "label-only"}
    assert not {task.key for task in apart.episodes} & {task.key for task in shared.episodes}
    assert {task.defense for task in shared.episodes} == {None}


def test_an_adversary_may_have_another_model(lab: Lab) -> None:
    other = {"name": "decision-tree", "shadow": "logistic-regression"}
    plan = lab.plan(("unlearner=retrain",), models=["decision-tree", other, "logistic-regression"])
    own, transfer, linear = (
        next(group for group in plan.groups if {cell.model.label for cell in group.cells.values()} == {label})
        for label in ("decision-tree", "decision-tree, shadow logistic-regression", "logistic-regression")
    )
    assert [task.key for task in transfer.target] == [task.key for task in own.target]
    assert [task.key for task in transfer.shadow] == [task.key for task in linear.shadow]


def test_an_adversarys_data_must_have_the_shape_of_the_targets(lab: Lab) -> None:
    with pytest.raises(UserError, match=r"shadow: digits has 10 classes, features \(64,\), and breast-cancer has 2"):
        lab.plan(datasets=[{"name": "breast-cancer", "shadow": "digits"}])


def test_a_data_set_at_several_sizes_is_a_row_for_each(lab: Lab) -> None:
    few, many = ({"name": "breast-cancer", "label": f"{n} shadows", "adversary": {"originals": n}} for n in (2, 3))
    plan = lab.plan(("unlearner=retrain",), datasets=[few, many, {**many, "label": "again"}])
    assert {cell.dataset.label for cell in plan.cells.values()} == {"2 shadows", "3 shadows", "again"}
    told = {next(iter(group.cells.values())).dataset.label: len(group.shadow) for group in plan.groups}
    assert told == {"2 shadows": 2, "3 shadows": 3, "again": 3}


def test_the_only_baseline_among_built_in_unlearners_is_retraining(registry: Registry) -> None:
    """Every plan has it, tables compare with it, and metrics that read retrained cells read its cells."""
    baselines = [entry.name for entry in registry.all("unlearner") if entry.plugin.role == "baseline"]
    assert baselines == ["retrain"]
