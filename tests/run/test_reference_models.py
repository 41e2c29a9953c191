"""Reference models in a run: what each is trained on and asked, and that they are trained once and can be added to."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from unlearnbench.builtin.executors.processes import ProcessExecutor
from unlearnbench.builtin.executors.serial import SerialExecutor
from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.executors import Executor, Failure
from unlearnbench.core.models import TargetModel
from unlearnbench.core.posteriors import log_odds
from unlearnbench.core.records import Records, TrainingSet
from unlearnbench.core.references import holds, population_sample
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.training import Trainer, TrainingJob
from unlearnbench.run.cell_results import get_result
from unlearnbench.run.cells import CellGroup
from unlearnbench.run.episode_arrays import to_arrays
from unlearnbench.run.episodes import Episode
from unlearnbench.run.evaluation import Evaluator, read_episode
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.merging import merge, same_results
from unlearnbench.run.reference_models import ReferenceParts, ReferenceWork, queried_records
from unlearnbench.run.runner import Runner
from unlearnbench.run.shards import Shard
from unlearnbench.run.store import Store
from unlearnbench.submissions.check import check_submission
from unlearnbench.submissions.pack import Entry, pack
from unlearnbench.submissions.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.run.conftest import Lab, Ran

ADVERSARY = {"references": 4, "per_request": 8, "population": 20}
U_LIRA = {"name": "u-lira", "params": {"references": 4}}
RMIA = {"name": "rmia", "params": {"references": 4, "population": 20}}
EPISODES = {"originals": 2, "requests": 3, "records": 80, "negatives": 10, "matched": 0, "retained": 4}
BANK: dict[str, Any] = {"adversary": ADVERSARY, "episodes": EPISODES, "attacks": [U_LIRA, RMIA, "score-diff"]}


@pytest.fixture(scope="module")
def ran(lab_in: Callable[[Path], Lab], tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A run with four reference models; to be read only."""
    return lab_in(tmp_path_factory.mktemp("references")).run(**BANK)


def side_seeds(records: Records) -> SeedPath:
    return SeedPath(0) / records.name


def parts_of(ran: Ran, instances: PluginInstances, number: int = 0) -> ReferenceParts:
    task = group_of(ran).references[number]
    return ReferenceParts.of(task, queried_records(task, ran.store), instances)


def group_of(ran: Ran) -> CellGroup:
    (group,) = ran.plan.groups
    return group


@pytest.fixture(scope="module")
def instances(lab_in: Callable[[Path], Lab], tmp_path_factory: pytest.TempPathFactory) -> PluginInstances:
    return PluginInstances(lab_in(tmp_path_factory.mktemp("plugins")).load()[1])


def test_every_queried_record_is_answered_by_every_model_and_held_by_half_of_them(
    ran: Ran, instances: PluginInstances
) -> None:
    group = group_of(ran)
    evaluator = Evaluator.load(group, ran.store, instances)
    rows = [evaluator._reference(number) for number in range(4)]
    targets = [read_episode(task, ran.store) for task in group.target]
    queried = np.unique(np.concatenate([episode.observations.record for episode in targets]))
    for row in rows:
        assert np.array_equal(row.record, rows[0].record)
        assert np.isin(queried, row.record).all()
    member = np.stack([row.member[:, 0] for row in rows])[:, np.isin(rows[0].record, queried)]
    assert (member.sum(axis=0) == 2).all()


def test_membership_is_derived_again_from_the_seed_and_the_record(ran: Ran, instances: PluginInstances) -> None:
    group = group_of(ran)
    records = instances.records(group.target[0].dataset)
    evaluator = Evaluator.load(group, ran.store, instances)
    population = population_sample(records, 20, side_seeds(records))
    for number in range(4):
        rows = evaluator._reference(number)
        coins = holds(rows.record, number, side_seeds(records) / "reference")
        assert np.array_equal(rows.member[:, 0], coins & ~np.isin(rows.record, population))


def test_answers_are_those_of_models_trained_by_hand(ran: Ran, instances: PluginInstances) -> None:
    group = group_of(ran)
    task, parts = group.references[1], parts_of(ran, instances, 1)
    rows = Evaluator.load(group, ran.store, instances)._reference(1)
    data, model = TrainingSet.of(parts.records, parts.training), instances.make(task.model, TargetModel)
    trainer, original = Trainer(model, "cpu", engine="reference"), parts.make_original(task, instances)
    asked = parts.records.x[rows.record]
    (before,) = trainer.train([TrainingJob(data, original.job.seeds)])
    assert np.array_equal(before.log_posteriors(asked), rows.before)
    left = [data.select(~np.isin(data.ids, ids)) for ids in parts.forgotten]
    after = trainer.train([TrainingJob(replace(one, reference=data), original.job.seeds) for one in left])
    answers = np.stack([fitted.log_posteriors(asked) for fitted in after])
    assert np.array_equal(answers[rows.request, np.arange(len(rows))], rows.after[:, 0])


def test_every_member_that_is_queried_is_deleted_once_by_the_model_that_answers(
    ran: Ran, instances: PluginInstances
) -> None:
    for number in range(4):
        parts = parts_of(ran, instances, number)
        deleted = np.concatenate(parts.forgotten)
        assert len(np.unique(deleted)) == len(deleted)
        assert {len(ids) for ids in parts.forgotten} == {8}
        member = np.isin(parts.asked, parts.training)
        assert np.isin(parts.asked[member], deleted).all()
        for record, request in zip(parts.asked, parts.answering(), strict=True):
            assert (record in parts.forgotten[request]) == (record in deleted)


def test_neither_shadow_models_nor_reference_models_train_on_the_population(
    ran: Ran, instances: PluginInstances
) -> None:
    parts = parts_of(ran, instances)
    population = population_sample(parts.records, 20, side_seeds(parts.records))
    assert np.isin(population, parts.asked).all()
    assert not np.isin(population, np.concatenate([parts.training, parts.validation])).any()
    assert not np.isin(parts.validation, parts.training).any()


def test_more_models_leave_those_that_are_there_and_their_cells(lab: Lab) -> None:
    few = lab.run(**BANK)
    more = {
        **BANK,
        "adversary": {**ADVERSARY, "references": 6},
        "attacks": [U_LIRA, {**U_LIRA, "params": {"references": 6}}],
    }
    before = {key: few.store.get("reference", key) for key in few.plan.references}
    planned = lab.plan(**more).summary(few.store)
    assert (planned["reference models"], planned["reference models cached"]) == (6 * 4, 4)
    many = lab.run(**more)
    u_lira = {key for key, cell in few.plan.cells.items() if cell.attack.name == "u-lira"}
    assert u_lira <= many.plan.cells.keys()
    for key, entry in before.items():
        found = many.store.get("reference", key)
        assert found is not None
        assert entry is not None
        assert same_results(entry, found)
    assert not many.outcome.failed


def test_only_as_many_models_are_trained_as_an_attack_needs(lab: Lab) -> None:
    plan = lab.plan(("unlearner=retrain",), **{**BANK, "adversary": {**ADVERSARY, "references": 64}})
    assert len(plan.references) == 4


def test_without_reference_models_nothing_is_planned_for_them(tiny: Ran) -> None:
    assert not tiny.plan.references
    assert not any("reference" in name for name in tiny.plan.summary(tiny.store))
    assert list(tiny.store.keys("reference")) == []


def test_other_attacks_score_as_they_do_without_reference_models(lab: Lab, ran: Ran) -> None:
    plain = lab.run(attacks=["score-diff"], episodes=EPISODES)

    def scores(which: Ran) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        (key,) = (key for key, cell in which.plan.cells.items() if cell.attack.name == "score-diff")
        result = get_result(which.store, key)
        assert result is not None
        return result.scores.scores

    assert np.array_equal(scores(plain), scores(ran))


def test_an_original_is_trained_once_for_all_unlearners(
    lab: Lab, ran: Ran, instances: PluginInstances, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []
    fit = Trainer._fit

    def counting(self: Trainer, tasks: Any) -> Any:
        trained.append(len(tasks))
        return fit(self, tasks)

    done = lab.run(only=("unlearner=none", "unlearner=random-noise"), unlearners=["none", "random-noise"], **BANK)
    groups = {group.target[0].unlearner.name: group for group in done.plan.groups}
    monkeypatch.setattr(Trainer, "_fit", counting)
    work = ReferenceWork.here(instances, done.store)
    for name in ("none", "random-noise"):
        assert not isinstance(work(groups[name].references[0]), Failure)
    assert trained == [1]


FUSSY = """
from unlearnbench import FunctionUnlearner, UnlearnerPlugin, hookimpl

class Fussy(FunctionUnlearner):
    def unlearn(self, deletion):
        if len(deletion.forget) > 1:
            raise ValueError("one record at a time")
        return deletion.fitted

@hookimpl
def unlearnbench_unlearners():
    yield UnlearnerPlugin(name="fussy", summary="Deletes one record only.", factory=Fussy)
"""


def test_a_reference_model_that_fails_costs_only_the_cells_that_need_it(lab: Lab) -> None:
    ran = lab.run(only=("unlearner=fussy",), unlearners=["fussy"], plugins=[lab.plugin(FUSSY)], **BANK)
    assert ran.row(attack="score-diff").status == "ok"
    for name in ("u-lira(references=4)", "rmia(population=20, references=4)"):
        (failed,) = (row for row in ran.rows if row.axes["attack"].label == name)
        assert (failed.status, failed.reason) == ("failed", "reference model 0: ValueError: one record at a time")


def test_a_target_that_fails_is_the_reason_of_its_reference_models(lab: Lab) -> None:
    broken = FUSSY.replace("len(deletion.forget) > 1", "True")
    ran = lab.run(only=("unlearner=fussy",), unlearners=["fussy"], plugins=[lab.plugin(broken)], **BANK)
    for key in ran.plan.references:
        failure = ran.store.failure("reference", key)
        assert failure is not None
        assert failure.reason == "a target whose queries it needs: ValueError: one record at a time"


def test_results_are_the_same_in_several_processes(lab: Lab, ran: Ran) -> None:
    executor: Executor = ProcessExecutor(workers=2)
    again = lab.run(executor=executor, **BANK)
    assert again.plan.cells.keys() == ran.plan.cells.keys()
    for kind, keys in (("reference", ran.plan.references), ("cell", ran.plan.cells)):
        for key in keys:
            one, other = ran.store.get(kind, key), again.store.get(kind, key)
            assert one is not None
            assert other is not None
            assert same_results(one, other)


def test_shards_together_have_all_reference_models(lab: Lab) -> None:
    suite, registry = lab.load(models=["decision-tree", "logistic-regression"], **BANK)
    plan = lab.plan(("unlearner=retrain",), models=["decision-tree", "logistic-regression"], **BANK)
    instances, stores = PluginInstances(registry), [Store(lab.folder / f"shard-{n}") for n in (1, 2)]
    for number, store in enumerate(stores, start=1):
        part = Shard(number, 2).of_plan(plan)
        assert len(part.references) == 4
        outcome = Runner(instances, store, SerialExecutor()).run(part)
        assert not outcome.failed
    merge(stores[0], stores[1])
    assert plan.summary(stores[1])["reference models cached"] == 8
    assert suite.name == plan.suite.name


def test_a_defense_releases_the_answers_of_reference_models_too(ran: Ran, instances: PluginInstances, lab: Lab) -> None:
    plan = lab.plan(("unlearner=retrain",), **BANK, defenses=["label-only"])
    (group,) = plan.groups
    label_only = next(iter(group.cells.values())).defense
    rows = Evaluator.load(group_of(ran), ran.store, instances)._release(label_only, 4).references
    assert len(rows) == 4
    odds = np.concatenate([log_odds(one.before, one.label) for one in rows])
    assert len(np.unique(odds)) == 2


def test_results_are_submitted_and_checked_without_reference_models(lab: Lab, tmp_path: Path) -> None:
    ran = lab.run(only=(), **BANK)
    assert not ran.outcome.failed
    suite, registry = lab.load(**BANK)
    folder = pack(ran.plan, registry, ran.store, Entry("A name", "An author"), Place(tmp_path / "leaderboards"))
    report = check_submission(folder, lab.folder / f"{suite.name}.yaml")
    assert [str(finding) for finding in report.findings] == []


COMPARED: dict[str, Any] = {
    **BANK,
    "adversary": {**ADVERSARY, "references": 8},
    "attacks": ["score-diff"],
    "metrics": ["auc", {"name": "klom", "params": {"references": 8}}],
    "unlearners": ["retrain", "none"],
}


def test_a_metric_compares_the_reference_models_of_an_unlearner_with_those_that_retrain(lab: Lab) -> None:
    ran = lab.run(only=("attack=score-diff",), **COMPARED)
    assert {key for group in ran.plan.groups for key in group.cells} == ran.plan.cells.keys()
    found = {row.names["unlearner"]: row.metrics for row in ran.rows}
    floors = {name: metrics["klom-floor"].value for name, metrics in found.items()}
    assert len(set(floors.values())) == 1
    assert found["retrain"]["klom-unlearned-retrained"].value == floors["retrain"]
    assert found["none"]["klom-unlearned-retrained"].value != floors["none"]


def test_its_cells_depend_on_the_reference_models_of_both(lab: Lab) -> None:
    with_klom = lab.plan(("attack=score-diff", "unlearner=none"), **COMPARED)
    assert len(with_klom.references) == 16
    assert {task.unlearner.name for task in with_klom.references.values()} == {"none", "retrain"}
    other = lab.plan(
        ("attack=score-diff", "unlearner=none"),
        **{**COMPARED, "adversary": {**ADVERSARY, "references": 8, "per_request": 4}},
    )
    assert not with_klom.cells.keys() & other.cells.keys()


def test_without_reference_models_it_is_not_defined(lab: Lab) -> None:
    ran = lab.run(only=("attack=score-diff",), **{**COMPARED, "adversary": {}})
    (reason,) = {row.metrics["klom-floor"].reason for row in ran.rows}
    assert reason == "needs 8 reference models; the suite's adversary offers fewer"
    assert not ran.plan.references


def test_a_suite_with_such_a_metric_is_not_submitted(lab: Lab, tmp_path: Path) -> None:
    ran = lab.run(only=(), **COMPARED)
    _, registry = lab.load(**COMPARED)
    with pytest.raises(UserError, match="klom reads reference models, which a submission does not hold; leave it out"):
        pack(ran.plan, registry, ran.store, Entry("A name", "An author"), Place(tmp_path / "leaderboards"))


def test_another_machine_makes_them_without_the_store(ran: Ran, instances: PluginInstances, lab: Lab) -> None:
    task = group_of(ran).references[0]
    portable = pickle.loads(pickle.dumps(ReferenceWork.here(instances, ran.store).portable([task])))  # noqa: S301 - made here
    portable.store.root = lab.folder / "nowhere"
    made = portable(task)
    assert isinstance(made, Episode)
    expected = ran.store.get("reference", task.key)
    assert expected is not None
    assert {name: array.tobytes() for name, array in to_arrays(made).items()} == {
        name: array.tobytes() for name, array in expected.arrays.items()
    }


@pytest.mark.slow
def test_u_lira_finds_what_is_kept_and_is_at_chance_where_the_model_is_retrained(lab: Lab) -> None:
    u_lira = {"name": "u-lira", "params": {"references": 16}}
    ran = lab.run(
        only=(),
        datasets=["digits"],
        models=[{"name": "decision-tree", "params": {"max_leaf_nodes": None}}],
        unlearners=["retrain", "none"],
        attacks=[u_lira],
        metrics=["auc"],
        episodes={"originals": 10, "requests": 10, "records": 250, "negatives": 3, "matched": 0, "retained": 0},
        adversary={"references": 16, "per_request": 5, "originals": 2},
    )

    def auc(unlearner: str, attack: str) -> Estimate:
        (row,) = (row for row in ran.rows if (row.names["unlearner"], row.axes["attack"].name) == (unlearner, attack))
        return row.metrics["auc"]

    retrained, kept = auc("retrain", "u-lira"), auc("none", "u-lira")
    assert retrained.low is not None
    assert retrained.high is not None
    assert kept.low is not None
    assert retrained.low < 0.5 < retrained.high < kept.high  # type: ignore[operator]  # it has both bounds
    assert kept.low > 0.5
