"""Cells that cannot run, or that the suite excludes, are skipped with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.run.planning import ATTACKS, CONTROLS

if TYPE_CHECKING:
    from tests.run.conftest import Lab


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
