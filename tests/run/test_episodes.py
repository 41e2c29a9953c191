"""One episode: that it hangs on nothing but its place in the run, and what its models are worth and cost."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.run.one_episode import (
    HERE,
    ONE_MODEL,
    PARTS,
    RECORDS,
    SIZES,
    UNLEARNERS,
    Moves,
    Tree,
    asked,
    pools_of,
    same,
    tree,
)
from unlearnbench.builtin.datasets.digits import Digits
from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.builtin.models.logistic_regression import LogisticRegression
from unlearnbench.builtin.scenarios.group import Group
from unlearnbench.builtin.scenarios.online import Online
from unlearnbench.builtin.scenarios.retained import Retained
from unlearnbench.builtin.scenarios.sequence import Sequence
from unlearnbench.builtin.scenarios.single import Single
from unlearnbench.builtin.unlearners.exact.retrain import Retrain
from unlearnbench.core.defenses import Defense
from unlearnbench.core.models import FitTask, Fitted, Seeds
from unlearnbench.core.observations import Observations
from unlearnbench.core.options import TrainingOptions
from unlearnbench.core.originals import Original
from unlearnbench.core.pools import side_halves
from unlearnbench.core.records import TrainingSet
from unlearnbench.core.scenarios import Role, Scenario
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.engine.unlearners import Deletion, FunctionUnlearner
from unlearnbench.run.episode_arrays import from_arrays, to_arrays
from unlearnbench.run.episodes import TEST_RECORDS, observe

# --- repeatable, and the same for everybody


@pytest.mark.parametrize("unlearner", UNLEARNERS, ids=repr)
@pytest.mark.parametrize("scenario", [Single(), Group(4), Moves(), Online(2, 3), Sequence(), Retained()], ids=repr)
def test_an_episode_is_bitwise_repeatable(unlearner: Unlearner, scenario: Scenario) -> None:
    parts = replace(PARTS, unlearner=unlearner, scenario=scenario)
    assert same(observe(parts), observe(parts))


def test_an_episode_does_not_hang_on_how_many_originals_there_are() -> None:
    assert same(observe(PARTS), observe(replace(PARTS, sizes=replace(SIZES, originals=50))))


def test_more_requests_leave_the_first_ones_as_they_were() -> None:
    few = observe(PARTS).observations
    many = observe(replace(PARTS, sizes=replace(SIZES, requests=6))).observations
    first = many.take(many.request < 3)
    assert all(np.array_equal(getattr(few, f.name), getattr(first, f.name)) for f in fields(few))


@pytest.mark.parametrize("change", [{"original": 0}, {"seed": 5}, {"side": "shadow"}], ids=str)
def test_another_original_seed_or_side_is_another_episode(change: dict[str, Any]) -> None:
    here, there = (observe(replace(PARTS, **one)).observations for one in ({}, change))
    assert asked(here, Role.FORGOTTEN).tolist() != asked(there, Role.FORGOTTEN).tolist()
    assert asked(here, Role.UNSEEN).tolist() != asked(there, Role.UNSEEN).tolist()


def test_nobody_is_asked_about_on_both_sides() -> None:
    target, shadow = (observe(replace(PARTS, side=side)).observations for side in ("target", "shadow"))
    assert not set(target.record) & set(shadow.record)


@pytest.mark.parametrize("scenario", [Single(), Group(4), Online(2, 3), Retained(2)], ids=repr)
def test_all_models_and_unlearners_meet_the_same_requests_and_random_negatives(
    scenario: Scenario,
) -> None:
    met = [
        asked(
            observe(replace(PARTS, model=model, unlearner=unlearner, scenario=scenario)).observations,
            Role.FORGOTTEN,
            Role.UNSEEN,
            Role.RETAINED,
            Role.ADDED,
        ).tolist()
        for model, unlearner in [
            *((Tree(), unlearner) for unlearner in UNLEARNERS),
            (Tree(3), Retrain()),
            (LogisticRegression(), Retrain()),
        ]
    ]
    assert all(one == met[0] for one in met)


@pytest.mark.parametrize("model", [DecisionTree(), LogisticRegression()], ids=repr)
def test_the_original_answers_the_same_whatever_unlearner_follows(model: DecisionTree | LogisticRegression) -> None:
    first, *others = (observe(replace(PARTS, model=model, unlearner=one)).observations for one in ONE_MODEL)
    for other in others:
        assert np.array_equal(other.record, first.record)
        assert np.array_equal(other.before, first.before)


# --- what models are worth and cost


@pytest.mark.parametrize("scenario", [Single(), Group(30), Moves()], ids=repr)
def test_accuracies_are_those_of_models_trained_by_hand(scenario: Scenario) -> None:
    accuracy = observe(replace(PARTS, scenario=scenario)).accuracy
    pools, unseen = pools_of()
    data, seeds = TrainingSet.of(RECORDS, pools.training), Seeds.at(HERE / "train")

    def right(answers: np.ndarray, ids: np.ndarray) -> float:
        return float((answers[ids].argmax(axis=1) == RECORDS.y[ids]).mean())

    original = tree(data, seeds)
    assert accuracy["train_original"].tolist() == [right(original, pools.training)]
    assert accuracy["test_original"].tolist() == [right(original, unseen)]
    for r, request in enumerate(scenario.requests(pools, SIZES, HERE, PARTS.make_original())):
        left = data
        for step in request.steps:
            left = left.after(step)
        last, retained = tree(left, seeds), np.setdiff1d(pools.training, request.forgotten)
        assert accuracy["train_unlearned"][r] == right(last, retained)
        assert accuracy["test_unlearned"][r] == right(last, unseen)
        forgotten = np.intersect1d(pools.training, request.forgotten)
        assert accuracy["forget_original"][r] == right(original, forgotten)
        assert accuracy["forget_unlearned"][r] == right(last, forgotten)
        assert accuracy["constant"][r] == np.bincount(RECORDS.y[retained]).max() / len(retained)


def test_no_model_is_asked_about_a_record_twice_nor_about_more_test_records_than_needed() -> None:
    widths: list[int] = []

    class Counting(Tree):
        def fit(self, task: FitTask, device: str) -> Fitted:
            fitted = super().fit(task, device)
            answer = fitted.log_posteriors

            def counted(x: NDArray[np.float64]) -> NDArray[np.float64]:
                widths.append(len(np.unique(x, axis=0)))
                return answer(x)

            object.__setattr__(fitted, "log_posteriors", counted)
            return fitted

    records = Digits().load()
    large = replace(records, x=np.concatenate([records.x * (1 - k / 1000) for k in range(6)]), y=np.tile(records.y, 6))
    parts = replace(PARTS, records=large, model=Counting())
    rows = observe(parts).observations
    _, unseen = pools_of(parts)
    assert len(unseen) > TEST_RECORDS
    training = pools_of(parts)[0].training
    asked = [len({*rows.record, *training, *unseen[:TEST_RECORDS]})] * 4
    assert widths == [len(training), *asked, len(training)], "the original is asked before and after whether it changed"


def test_seconds_are_told_for_training_and_for_one_request() -> None:
    seconds = observe(PARTS).seconds
    assert seconds.keys() == {"train", "unlearn"}
    assert all(value > 0 for value in seconds.values())


def test_an_episode_survives_being_taken_apart_into_arrays() -> None:
    episode = observe(replace(PARTS, scenario=Moves()))
    arrays = to_arrays(episode)
    again = from_arrays(arrays, episode.seconds, episode.forget_sets)
    assert again.forget_sets == episode.forget_sets
    assert same(episode, again)
    assert again.seconds == episode.seconds
    assert all(isinstance(values, np.ndarray) for values in arrays.values())
    for f in fields(Observations):
        assert getattr(again.observations, f.name).dtype == getattr(episode.observations, f.name).dtype


# --- validation


def test_records_for_validation_are_seen_by_nobody_else() -> None:
    for scenario in (Single(), Online(2, 3), Sequence()):
        parts = replace(PARTS, scenario=scenario)
        validation = parts.validation_ids()
        rows = observe(parts).observations
        assert 0 < len(validation) <= 1000
        assert not np.isin(validation, parts.pools[0].training).any()
        assert not np.isin(validation, rows.record).any()
        assert not RECORDS.has_duplicate[validation].any()
        assert np.isin(validation, parts.pools[0].addable).all(), "of the records that this side may train on"


def test_where_all_records_are_trained_on_none_are_left_for_validation() -> None:
    trainable, _ = side_halves(RECORDS, "target", SeedPath(4) / RECORDS.name)
    assert len(replace(PARTS, sizes=replace(SIZES, records=len(trainable))).validation_ids()) == 0


def test_unlearners_get_the_model_with_its_parameters_whatever_the_engine_and_the_training_defense() -> None:
    seen: list[Original] = []

    class Looks(FunctionUnlearner):
        def unlearn(self, deletion: Deletion) -> Fitted:
            seen.append(deletion.original)
            return deletion.fitted

    class Dropout(Defense):
        def training(self) -> TrainingOptions:
            return TrainingOptions(dropout=0.25)

    for engine in ("fast", "reference"):
        observe(replace(PARTS, unlearner=Looks(), defense=Dropout(), engine=engine))
        assert {original.model for original in seen} == {Tree(leaves=4)}
        assert {original.options.dropout for original in seen} == {0.25}
        assert {original.engine for original in seen} == {engine}
        seen.clear()
