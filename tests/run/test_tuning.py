"""Tuning: equal trials for all, on development originals, and a suite with default and tuned rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from unlearnbench.builtin.executors.serial import SerialExecutor
from unlearnbench.core.errors import UserError
from unlearnbench.core.observations import Observations
from unlearnbench.core.pools import side_halves
from unlearnbench.core.ranges import Choice, Range, Space
from unlearnbench.core.scenarios import Role
from unlearnbench.core.seeding import SeedPath
from unlearnbench.run.episodes import Episode
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.originals import parts_of
from unlearnbench.run.runner import Runner
from unlearnbench.run.store import Store
from unlearnbench.run.tuning import (
    Tried,
    best_of,
    drawn_values,
    objective,
    outcome_of,
    trial_records,
    trials_of,
    tuned_suite,
)
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.yaml import dump_yaml

if TYPE_CHECKING:
    from tests.run.conftest import Lab

PLUGIN = """
    from unlearnbench import FunctionUnlearner, Range, UnlearnerPlugin, hookimpl


    class Damaged:
        def __init__(self, fitted, share):
            self.fitted, self.share = fitted, share

        def log_posteriors(self, x):
            answer = self.fitted.log_posteriors(x)
            wrong = int(self.share * len(x))
            answer[:wrong] = answer[:wrong, ::-1]
            return answer


    class Breaks(FunctionUnlearner):
        def __init__(self, damage: float = 0.9) -> None:
            if damage > 0.75 and damage != 0.9:
                raise ValueError("too much damage")
            self.damage = damage

        def unlearn(self, deletion):
            if 0.5 < self.damage < 0.75:
                raise RuntimeError("broken in two")
            return Damaged(deletion.fitted, self.damage)

        def record_passes(self, deletion):
            return self.damage


    class Other(Breaks):
        pass


    class Knobbed(Breaks):
        def __init__(self, damage: float = 0.9, rows: int = 3) -> None:
            super().__init__(damage)
            self.rows = rows


    @hookimpl
    def unlearnbench_unlearners():
        yield UnlearnerPlugin(name="breaks", summary="Damages.", factory=Breaks)
        yield UnlearnerPlugin(name="other", summary="Damages too.", factory=Other)
        knobs = {"damage": Range(0.0, 0.1), "rows": Range(1, 8)}
        yield UnlearnerPlugin(name="knobbed", summary="Damages rows.", factory=Knobbed, knobs=knobs)
"""
TUNE = {"trials": 8, "originals": 2, "requests": 2, "passes": 0.4, "space": {"damage": {"low": 0.0, "high": 1.0}}}


class Tuned:
    """A tuning in a folder."""

    def __init__(self, lab: Lab, **changes: object) -> None:
        keys: dict[str, Any] = {"tune": TUNE, "unlearners": ["retrain", "breaks", "other"], **changes}
        suite, registry = lab.load(plugins=[lab.plugin(PLUGIN)], **keys)
        self.suite, self.folder, self.instances = suite, lab.folder, PluginInstances(registry)
        self.store = Store(lab.folder / "store")
        self.trials = trials_of(suite, lab.folder, self.instances)
        self.episodes = {task.key: task for trial in self.trials for task in trial.episodes}

    def run(self) -> list[Tried]:
        Runner(self.instances, self.store, SerialExecutor(), show_progress=False).make_episodes(
            self.episodes, self.suite.limits
        )
        assert self.suite.tune
        return [outcome_of(trial, self.suite.tune.passes, self.store) for trial in self.trials]


def test_every_unlearner_gets_the_same_trials(lab: Lab) -> None:
    trials = Tuned(lab).trials
    by_name = {name: [trial for trial in trials if trial.base.name == name] for name in ("retrain", "breaks", "other")}
    assert by_name["retrain"] == []  # it has no parameter of the search space
    assert [trial.values for trial in by_name["breaks"]] == [trial.values for trial in by_name["other"]]
    assert [trial.number for trial in by_name["breaks"]] == list(range(1, 9))
    assert {len(trial.episodes) for trial in trials if trial.tried} == {2}


def test_an_unlearner_tries_its_own_knobs_too_unless_the_suite_says_otherwise(lab: Lab) -> None:
    """As often as the others their parameters, with the same values of those that the suite names."""
    named = ["breaks", "knobbed"]
    trials = {
        name: [trial.values for trial in Tuned(lab, unlearners=named).trials if trial.base.name == name]
        for name in named
    }
    assert [values["damage"] for values in trials["knobbed"]] == [values["damage"] for values in trials["breaks"]]
    assert {values["rows"] for values in trials["knobbed"]} == {1, 2, 3, 4, 5, 6, 7, 8}
    plain = Tuned(lab, unlearners=named, tune={**TUNE, "knobs": False}).trials
    assert {tuple(trial.values) for trial in plain} == {("damage",)}


def test_values_are_one_of_each_equal_part_of_the_range() -> None:
    space: Space = {"a": Range(0.0, 1.0), "b": Range(1.0, 2.0), "c": Choice(("x", "y"))}
    values = np.asarray(drawn_values(space, "a", 50, 3), dtype=np.float64)
    assert sorted((values * 50).astype(int)) == list(range(50))
    assert drawn_values(space, "a", 50, 3) == values.tolist()
    assert drawn_values(space, "a", 50, 4) != values.tolist()
    assert not np.allclose(np.asarray(drawn_values(space, "b", 50, 3), dtype=np.float64) - 1, values)
    assert sorted(map(str, drawn_values(space, "c", 6, 3))) == ["x"] * 3 + ["y"] * 3


def test_development_originals_have_no_record_of_the_target_half_and_are_no_shadow_models(lab: Lab) -> None:
    tuned = Tuned(lab)
    records = tuned.instances.records(tuned.suite.datasets[0])
    target = np.concatenate(side_halves(records, "target", SeedPath(tuned.suite.seeds[0]) / records.name))
    for task in tuned.episodes.values():
        pools, unseen = parts_of(task, tuned.instances).pools
        assert not np.isin(np.concatenate([pools.training, unseen]), target).any()
        assert task.original >= tuned.suite.datasets[0].adversary.originals
        assert task.unlearner.name != "retrain"
    assert {task.original for task in tuned.episodes.values()} == {2, 3}


def test_the_best_trial_stands_beside_the_default_and_failures_count(lab: Lab) -> None:
    tuned = Tuned(lab)
    tried = tuned.run()
    assert len(tried) == 16
    assert {one.reason for one in tried if float(str(one.trial.values["damage"])) > 0.75} == {
        'unlearner "breaks": too much damage',
        'unlearner "other": too much damage',
    }
    broken = [one for one in tried if 0.5 < float(str(one.trial.values["damage"])) < 0.75]
    assert broken
    assert all("broken in two" in one.reason and one.objective == np.inf for one in broken)
    costly = [one for one in tried if 0.4 < float(str(one.trial.values["damage"])) < 0.5]
    assert costly
    assert all("of a retraining's; 0.4 may be taken" in one.reason for one in costly)
    best = best_of(tried)
    least = min(float(str(trial.values["damage"])) for trial in tuned.trials)
    assert [trial.values["damage"] for trial in best] == [least, least]
    path = tuned.folder / "tiny-tuned.yaml"
    records = trial_records(tried, best)
    path.write_text(dump_yaml(tuned_suite(tuned.suite, best, records)))
    written, _ = load_suite(path, run_plugin_files=True)
    assert [ref.label for ref in written.unlearners] == [
        "retrain",
        "breaks",
        f"breaks(damage={least!r})",
        "other",
        f"other(damage={least!r})",
    ]
    assert written.tune is None
    assert written.trials == records
    assert (
        replace(written, name="tiny", unlearners=tuned.suite.unlearners, tune=tuned.suite.tune, trials=())
        == tuned.suite
    )
    assert [(one.unlearner, one.trial) for one in records] == [
        (one.trial.base.label, one.trial.number) for one in tried
    ]
    chosen = [one for one in records if one.chosen]
    assert [(one.unlearner, one.values) for one in chosen] == [(one.base.label, one.values) for one in best]
    assert all((one.objective is None) == bool(one.reason) for one in records)


def test_a_tuning_goes_on_where_it_was_stopped(lab: Lab) -> None:
    tuned = Tuned(lab)
    first = dict(list(tuned.episodes.items())[:3])
    whole, tuned.episodes = tuned.episodes, first
    tuned.run()
    kept = {key: tuned.store.payload("episode", key) for key in first}
    assert all(kept.values())
    tuned.episodes = whole
    tuned.run()
    assert {key: tuned.store.payload("episode", key) for key in first} == kept


def test_where_all_trials_fail_there_is_no_tuned_row(lab: Lab) -> None:
    space = {"damage": [0.6, 0.7]}
    tuned = Tuned(lab, tune={**TUNE, "space": space})
    best = best_of(tuned.run())
    assert best == []
    unlearners: Any = tuned_suite(tuned.suite, best, ())["unlearners"]
    assert [entry["name"] for entry in unlearners] == ["retrain", "breaks", "other"]


def test_a_model_that_does_not_go_with_the_unlearner_is_left_out(lab: Lab) -> None:
    tuned = Tuned(lab, unlearners=["finetune"], tune={"trials": 2, "space": {"epochs": [1, 2]}})
    assert [one.reason for one in tuned.run()] == ["no model, data set or scenario of the suite goes with it"] * 2


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({"scenarios": ["single", "canary"]}, {("breast-cancer", "decision-tree", "single")}),
        ({"models": ["decision-tree", "simple-cnn"]}, {("breast-cancer", "decision-tree", "single")}),
        ({"datasets": ["breast-cancer", "digits"], "unlearners": ["amun"], "models": ["mlp"],
          "tune": {"trials": 1, "space": {"epochs": [1]}}}, {("digits", "mlp", "single")}),
    ],
    ids=["scenario", "model", "unlearner"],
)  # fmt: skip
def test_what_does_not_go_with_a_data_set_is_left_out(lab: Lab, changes: dict[str, Any], left: set[object]) -> None:
    tuned = Tuned(lab, **changes)
    assert {(task.dataset.name, task.model.name, task.scenario.name) for task in tuned.episodes.values()} == left


def episode(correct: dict[Role, Sequence[bool]], **accuracy: Sequence[float]) -> Episode:
    roles = np.concatenate([np.full(len(right), role) for role, right in correct.items()])
    right = np.concatenate(list(correct.values()))
    rows = SimpleNamespace(role=roles, label=np.ones(len(right), dtype=int))
    rows.after = np.stack([~right, right], axis=1).astype(float)[:, None]
    rows.last_only = lambda: rows
    shares = {name: np.array(values) for name, values in accuracy.items()}
    observations: Observations = rows  # type: ignore[assignment]  # it has all that is read
    nothing = np.zeros(0)
    return Episode(observations, shares, {}, nothing, nothing > 0, nothing > 0)


def test_the_objective_is_the_mean_of_three_costs() -> None:
    one = episode(
        {Role.FORGOTTEN: [True, True], Role.UNSEEN: [True, False, False, False], Role.RETAINED: [False]},
        train_original=[0.9],
        train_unlearned=[0.7, 0.5],
        test_original=[0.6],
        test_unlearned=[0.6, 0.8],
    )
    assert objective(one) == pytest.approx((0.3 + 0.0 + 0.75) / 3)


REFUSED: list[tuple[dict[str, object], str]] = [
    ({"tune": {**TUNE, "requests": 4}}, "tune: requests: must be at most those of the adversary, 3, got 4"),
    ({"unlearners": ["retrain"]}, "tune: no unlearner of the suite has a parameter damage"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_what_cannot_be_tuned_is_told(lab: Lab, changes: dict[str, object], message: str) -> None:
    with pytest.raises(UserError) as refused:
        Tuned(lab, **changes)
    assert message in str(refused.value)


def test_a_suite_without_the_key_is_refused(lab: Lab) -> None:
    suite, registry = lab.load()
    with pytest.raises(UserError, match='the suite has no key "tune"'):
        trials_of(suite, lab.folder, PluginInstances(registry))


def test_plug_in_files_must_lie_beside_the_tuned_suite(lab: Lab, tmp_path: Path) -> None:
    suite, registry = lab.load(plugins=[lab.plugin(PLUGIN)], unlearners=["breaks"], tune=TUNE)
    with pytest.raises(UserError, match="its plug-in files lie beside it; add --out"):
        trials_of(suite, tmp_path / "elsewhere", PluginInstances(registry))


TRIALS = [{"unlearner": "sisa", "trial": 1, "values": {"shards": 3}, "objective": 0.25}]


@pytest.mark.parametrize("keys", [{"tune": TUNE}, {"trials": TRIALS}])
def test_a_run_does_not_depend_on_what_was_or_is_to_be_tuned(lab: Lab, keys: dict[str, Any]) -> None:
    plain, with_key = lab.plan(), lab.plan(**keys)
    assert list(plain.cells) == list(with_key.cells)
    assert with_key.suite.sha256 != plain.suite.sha256
