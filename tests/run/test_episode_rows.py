"""The rows of an episode: who is asked, and what is seen of each version."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from tests.run.one_episode import (
    HERE,
    PARTS,
    RECORDS,
    SIZES,
    UNLEARNERS,
    Moves,
    asked,
    pools_of,
    tree,
)
from unlearnbench.builtin.scenarios.group import Group
from unlearnbench.builtin.scenarios.online import Online
from unlearnbench.builtin.scenarios.retained import Retained
from unlearnbench.builtin.scenarios.sequence import Sequence
from unlearnbench.builtin.scenarios.single import Single
from unlearnbench.builtin.unlearners.controls.noise_floor import NoiseFloor
from unlearnbench.builtin.unlearners.controls.none import NoUnlearning
from unlearnbench.builtin.unlearners.exact.retrain import Retrain
from unlearnbench.core.models import Seeds
from unlearnbench.core.observations import Observations
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.scenarios import Role, Scenario
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.run.episodes import observe

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
