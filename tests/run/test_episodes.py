"""One episode: who is asked, what is seen, and that it hangs on nothing but its place in the run."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.builtin.datasets.breast_cancer import BreastCancer
from unlearnbench.builtin.datasets.digits import Digits
from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.builtin.models.logistic_regression import LogisticRegression
from unlearnbench.builtin.scenarios.group import Group
from unlearnbench.builtin.scenarios.online import Online
from unlearnbench.builtin.scenarios.retained import Retained
from unlearnbench.builtin.scenarios.sequence import Sequence
from unlearnbench.builtin.scenarios.single import Single
from unlearnbench.builtin.unlearners.controls.noise_floor import NoiseFloor
from unlearnbench.builtin.unlearners.controls.none import NoUnlearning
from unlearnbench.builtin.unlearners.controls.random_noise import RandomNoise
from unlearnbench.builtin.unlearners.exact.retrain import Retrain
from unlearnbench.builtin.unlearners.exact.sisa import SISA
from unlearnbench.core.defenses import Defense
from unlearnbench.core.models import FitTask, Fitted, Seeds
from unlearnbench.core.observations import Observations
from unlearnbench.core.options import TrainingOptions
from unlearnbench.core.originals import Original
from unlearnbench.core.pools import EpisodeSizes, Pools, side_halves, side_pools
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.scenarios import Request, Role, Scenario
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.engine.sklearn_model import SklearnModel
from unlearnbench.engine.unlearners import Deletion, FunctionUnlearner
from unlearnbench.run.episodes import TEST_RECORDS, Episode, EpisodeParts, from_arrays, observe, to_arrays

RECORDS = BreastCancer().load()
SIZES = EpisodeSizes(originals=2, requests=3, records=120, negatives=10, matched=3, retained=5)
UNLEARNERS = [Retrain(), Retrain("fresh", "fresh"), SISA(3), NoiseFloor(), NoUnlearning(), RandomNoise()]
ONE_MODEL = [unlearner for unlearner in UNLEARNERS if not isinstance(unlearner, SISA)]


@dataclass(frozen=True)
class Tree(SklearnModel):
    """A small tree, the same however many are grown together."""

    leaves: int = 4

    def estimator(self, seed: int) -> object:
        from sklearn.tree import DecisionTreeClassifier

        return DecisionTreeClassifier(max_leaf_nodes=self.leaves, random_state=seed)


PARTS = EpisodeParts(RECORDS, Tree(), Retrain(), Single(), Defense(), SIZES, "target", original=1, seed=4, device="cpu")
HERE = SeedPath(4) / RECORDS.name / "target" / 1


@dataclass(frozen=True)
class Moves(Scenario):
    """Requests of one, two and three steps; records leave, join, leave again and come back."""

    def deletions_needed(self, sizes: EpisodeSizes) -> int:
        return 4

    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        a, b, c, d = (pools.deletable[k : k + 1] for k in range(4))
        new = pools.unseen[:1]
        return [
            Request((Step(a),)),
            Request((Step(b, new), Step(np.concatenate([new, c])))),
            Request((Step(d), Step(a[:0], d), Step(b))),
        ]


def pools_of(parts: EpisodeParts = PARTS) -> tuple[Pools, np.ndarray]:
    return side_pools(parts.records, parts.side, parts.sizes, parts.original, SeedPath(parts.seed) / parts.records.name)


def same(a: Episode, b: Episode) -> bool:
    ours, theirs = to_arrays(a), to_arrays(b)
    return ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in ours)


def asked(rows: Observations, *roles: Role) -> np.ndarray:
    """Return (request, record) of the rows with these roles."""
    chosen = rows.take(np.isin(rows.role, roles))
    return np.stack([chosen.request, chosen.record], axis=1)


def tree(data: TrainingSet, seeds: Seeds) -> np.ndarray:
    """Return what a tree trained by hand says of all records."""
    return Tree().fit(FitTask(data, seeds), "cpu").log_posteriors(RECORDS.x)


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


# --- what is seen


def test_rows_show_what_models_trained_by_hand_answer() -> None:
    data = TrainingSet.of(RECORDS, pools_of()[0].training)
    rows = observe(PARTS).observations
    original = Seeds.at(HERE / "train")
    assert np.array_equal(rows.before, tree(data, original)[rows.record])
    for r in range(3):
        here = rows.take(rows.request == r)
        left = data.after(Step(here.record[here.role == Role.FORGOTTEN]))
        assert np.array_equal(here.after[:, 0], tree(left, original)[here.record])
    assert not np.array_equal(rows.before, rows.after[:, 0])


def test_without_unlearning_nothing_moves_bitwise() -> None:
    rows = observe(replace(PARTS, unlearner=NoUnlearning())).observations
    assert np.array_equal(rows.before, rows.after[:, 0])


@pytest.mark.parametrize("scenario", [Single(), Group(4)], ids=repr)
def test_rows_say_where_they_belong(scenario: Scenario) -> None:
    rows = observe(replace(PARTS, scenario=scenario)).observations
    assert np.array_equal(rows.label, RECORDS.y[rows.record])
    assert set(rows.episode) == {1}
    assert set(rows.versions) == {1}
    pools, _ = pools_of()
    for r, request in enumerate(scenario.requests(pools, SIZES, HERE, PARTS.make_original())):
        here = rows.take(rows.request == r)
        counts = np.bincount(here.role, minlength=len(Role))
        assert counts[[Role.FORGOTTEN, Role.UNSEEN, Role.RETAINED]].tolist() == [len(request.forgotten), 10, 5]
        assert counts[Role.MATCHED] <= 3
        assert here.record[here.role == Role.FORGOTTEN].tolist() == request.forgotten.tolist()
        for role in Role:
            assert here.position[here.role == role].tolist() == list(range(counts[role]))


@pytest.mark.parametrize("unlearner", [Retrain(), NoiseFloor(), NoUnlearning()], ids=repr)
@pytest.mark.parametrize("scenario", [Single(), Group(4), Online(2, 3), Retained(2)], ids=repr)
def test_membership_is_what_was_requested_whatever_the_unlearner_did(scenario: Scenario, unlearner: Unlearner) -> None:
    rows = observe(replace(PARTS, scenario=scenario, unlearner=unlearner)).observations
    expected = {
        Role.FORGOTTEN: [True, False],
        Role.UNSEEN: [False, False],
        Role.MATCHED: [False, False],
        Role.RETAINED: [True, True],
        Role.ADDED: [False, True],
    }
    assert rows.member.tolist() == [expected[Role(role)] for role in rows.role]


# --- chains of versions


def test_membership_follows_records_that_leave_join_and_come_back() -> None:
    rows = observe(replace(PARTS, scenario=Moves())).observations
    pools, _ = pools_of()
    a, b, c, d = pools.deletable[:4]
    new = pools.unseen[0]
    forgotten = rows.take(rows.role == Role.FORGOTTEN)
    found = {
        (int(r), int(i)): "".join("X" if m else "." for m in member)
        for r, i, member in zip(forgotten.request, forgotten.record, forgotten.member, strict=True)
    }
    assert found == {  # one request has one version, the next two, the last three: short ones repeat their last
        (0, a): "X...",
        (1, b): "X...",
        (1, new): ".X..",
        (1, c): "XX..",
        (2, d): "X.XX",
        (2, b): "XXX.",
    }
    unseen = rows.take(np.isin(rows.role, [Role.UNSEEN, Role.MATCHED]))
    assert not unseen.member.any()
    assert new not in unseen.record[unseen.request == 1]
    assert rows.take(rows.role == Role.RETAINED).member.all()


def test_requests_with_unequal_numbers_of_versions_are_seen_step_by_step() -> None:
    rows = observe(replace(PARTS, scenario=Moves())).observations
    pools, _ = pools_of()
    data, seeds = TrainingSet.of(RECORDS, pools.training), Seeds.at(HERE / "train")
    assert rows.after.shape == (len(rows), 3, 2)
    for r, request in enumerate(Moves().requests(pools, SIZES, HERE, PARTS.make_original())):
        here, left = rows.take(rows.request == r), data
        assert set(here.versions) == {len(request.steps)}
        for v in range(3):
            left = left.after(request.steps[v]) if v < len(request.steps) else left
            assert np.array_equal(here.after[:, v], tree(left, seeds)[here.record])


@pytest.mark.parametrize("unlearner", UNLEARNERS, ids=repr)
def test_every_unlearner_serves_chains(unlearner: Unlearner) -> None:
    episode = observe(replace(PARTS, scenario=Moves(), unlearner=unlearner))
    assert np.isfinite(episode.observations.after).all()
    assert {name: len(values) for name, values in episode.accuracy.items()} == {
        "train_original": 1,
        "test_original": 1,
        "train_unlearned": 3,
        "test_unlearned": 3,
        "forget_original": 3,
        "forget_unlearned": 3,
        "constant": 3,
    }
    assert [len(values) for values in (episode.passes, episode.collapsed, episode.unmoved)] == [3, 3, 3]


def test_added_records_are_learned_from_and_nobody_else_asks_about_them() -> None:
    rows = observe(replace(PARTS, scenario=Online(2, 3))).observations
    data, seeds = TrainingSet.of(RECORDS, pools_of()[0].training), Seeds.at(HERE / "train")
    added = rows.record[rows.role == Role.ADDED]
    assert len(set(added)) == len(added) == 9
    assert added.tolist() == pools_of()[0].addable[:9].tolist()
    for r in range(3):
        here = rows.take(rows.request == r)
        new = here.record[here.role == Role.ADDED]
        left = data.after(Step(here.record[here.role == Role.FORGOTTEN], new))
        assert set(new) <= set(left.kept_ids)
        assert np.array_equal(here.after[:, 0], tree(left, seeds)[here.record])


def test_a_sequence_says_of_every_forgotten_record_which_step_deleted_it() -> None:
    rows = observe(replace(PARTS, scenario=Sequence(versions=3, size=2))).observations
    forgotten = rows.take(rows.role == Role.FORGOTTEN)
    assert len(forgotten) == 3 * 6
    assert forgotten.left_at().tolist() == [1, 1, 2, 2, 3, 3] * 3
    assert (forgotten.left_at() == forgotten.position // 2 + 1).all()
    assert not rows.left_at()[rows.role != Role.FORGOTTEN].any()


def test_who_sees_the_last_version_only_sees_no_other_and_whether_records_left_but_not_when() -> None:
    everything, last = (
        observe(replace(PARTS, scenario=Sequence(versions=3, sees=sees))).observations for sees in ("all", "last")
    )
    assert everything.after.shape[1:] == (3, 2)
    assert last.after.shape[1:] == (1, 2)
    assert np.array_equal(last.after[:, 0], everything.after[:, 2])
    assert np.array_equal(last.member, everything.member[:, [0, 3]])
    assert np.array_equal(last.record, everything.record)


def test_the_last_version_of_a_retrained_sequence_is_that_of_one_group() -> None:
    sequence, group = (
        observe(replace(PARTS, scenario=one)).observations for one in (Sequence(versions=3, sees="last"), Group(3))
    )
    assert all(np.array_equal(getattr(sequence, f.name), getattr(group, f.name)) for f in fields(Observations))


def test_who_stayed_is_asked_about_as_often_as_who_left_and_balanced_with_unseen_records() -> None:
    rows = observe(replace(PARTS, scenario=Retained(2))).observations
    counts = [np.bincount(rows.role[rows.request == r], minlength=len(Role)) for r in range(3)]
    assert [count[[Role.FORGOTTEN, Role.RETAINED]].tolist() for count in counts] == [[2, 2]] * 3
    paired = rows.take(rows.paired(Retained.positive, Retained.negative))
    assert np.bincount(paired.role, minlength=len(Role)).tolist() == [0, 6, 0, 6, 0]
    assert paired.member[paired.role == Role.RETAINED].all()
    assert not paired.member[paired.role == Role.UNSEEN].any()


def test_scenarios_draw_the_same_random_negatives_so_that_they_can_be_compared() -> None:
    met = [
        asked(observe(replace(PARTS, scenario=one)).observations, Role.UNSEEN).tolist()
        for one in (Single(), Group(4), Online(), Sequence(), Retained())
    ]
    assert all(one == met[0] for one in met)


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
