"""SISA: a deletion costs the training of one shard, and the answer is the mean of all shards."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.models.random_forest import RandomForest
from unlearnbench.builtin.unlearners.exact.sisa import SISA
from unlearnbench.core.models import FitTask, Fitted, SeedUse
from unlearnbench.core.originals import Original
from unlearnbench.core.posteriors import log_mean
from unlearnbench.core.records import Provenance, Records, Step, TrainingSet
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.training import TrainingJob
from unlearnbench.engine.querying import Ensemble

if TYPE_CHECKING:
    from tests.builtin.unlearners.conftest import Spy, SpyFitted, Tree


TRAIN, SERVE = SeedPath(2) / "train", SeedPath(2) / "serve"
ALL_SEEDS: tuple[SeedUse, ...] = ("init", "order", "noise")


def step(forget: Sequence[int] = (), add: Sequence[int] = ()) -> Step:
    return Step(np.array(forget, dtype=np.int64), np.array(add, dtype=np.int64))


def jobs(method: SISA, data: TrainingSet, *steps: Step, train: SeedPath = TRAIN) -> list[TrainingJob]:
    return list(method.jobs(Original(DecisionTree(), data, train), steps, SERVE))


def chain(job: TrainingJob | None) -> list[TrainingJob]:
    """Return a job and all it starts from, first stage first."""
    return [] if job is None else [*chain(job.start), job]


def held(job: FitTask | TrainingJob) -> set[int]:
    return set(job.data.kept_ids.tolist())


def shard_of(parts: Sequence[FitTask | TrainingJob], record: int) -> int:
    (index,) = (k for k, part in enumerate(parts) if record in held(part))
    return index


def shards_of(fitted: Fitted) -> list[SpyFitted]:
    """Return the models of the shards."""
    assert isinstance(fitted, Ensemble)
    return [cast("SpyFitted", part) for part in fitted.parts]


def task_of(fitted: Fitted | None) -> FitTask:
    """Return the task that a spy was trained on."""
    return cast("SpyFitted", fitted).task


# --- how records are dealt out


@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 4), st.integers(0, 2**40))
def test_shards_share_all_records_evenly_and_so_do_the_slices_of_a_shard(
    n: int, shards: int, slices: int, seed: int
) -> None:
    records = Records("toy", np.arange(60.0)[:, None], np.arange(60) % 2, 2, Provenance("", ""))
    data = TrainingSet.of(records, np.arange(60)[::-1][:n])
    parts = jobs(SISA(shards, slices), data, train=SeedPath(seed))
    sizes = [len(part.data) for part in parts]
    assert sorted(i for part in parts for i in held(part)) == sorted(data.ids)
    assert len(parts) == min(n, shards)
    assert max(sizes) - min(sizes) <= 1
    for part in parts:
        stages = [len(stage.data) for stage in chain(part)]
        added = np.diff([0, *stages]).tolist() + [0] * (slices - len(stages))
        assert max(added) - min(added) <= 1


def test_a_shard_keeps_the_training_order_of_its_records(data: TrainingSet) -> None:
    for part in jobs(SISA(4), data):
        places = [data.ids.tolist().index(i) for i in part.data.ids]
        assert places == sorted(places)


def test_other_seeds_deal_otherwise(data: TrainingSet) -> None:
    assert held(jobs(SISA(4), data)[0]) != held(jobs(SISA(4), data, train=SeedPath(99))[0])


def test_a_record_stays_in_its_shard_whatever_else_is_deleted_or_added(data: TrainingSet) -> None:
    before = jobs(SISA(4), data)
    after = jobs(SISA(4), data, step([5, 9], [60, 61]), step([60], [62]))
    for record in set(data.ids.tolist()) - {5, 9}:
        assert shard_of(before, record) == shard_of(after, record)


def test_an_added_record_joins_one_shard_at_its_end_and_can_be_forgotten_again(data: TrainingSet) -> None:
    before, joined, left = (
        jobs(SISA(4), data, *steps) for steps in ((), (step([], [60]),), (step([], [60]), step([60])))
    )
    k = shard_of(joined, 60)
    assert joined[k].data.ids.tolist() == [*before[k].data.ids, 60]
    assert held(left[k]) == held(before[k])
    assert [held(joined[i]) == held(before[i]) for i in range(4)] == [i != k for i in range(4)]


def test_a_record_that_comes_back_joins_its_old_shard(data: TrainingSet) -> None:
    gone_and_back = jobs(SISA(4), data, step([5]), step([], [5]))
    assert shard_of(gone_and_back, 5) == shard_of(jobs(SISA(4), data), 5)


# --- what is trained


@pytest.mark.parametrize("seeds_used", [(), ("init",), ("init", "order"), ALL_SEEDS])
@pytest.mark.parametrize("record", [0, 7, 33])
def test_a_deletion_trains_the_shard_that_holds_the_record_and_no_other(
    spy: type[Spy], data: TrainingSet, seeds_used: tuple[SeedUse, ...], record: int
) -> None:
    """Whatever seeds the model uses: a shard left alone stays the model it was, noise and all."""
    model, method = spy(seeds_used), SISA(5)
    state = method.prepare(Original(model, data, TRAIN))
    assert len(model.tasks) == 5
    after = method.serve(state, step([record]), SERVE / 0 / 1)
    assert len(model.tasks) == 6
    k = shard_of([part.task for part in shards_of(state.fitted)], record)
    assert held(model.tasks[-1]) == held(shards_of(state.fitted)[k].task) - {record}
    assert [now is then for now, then in zip(shards_of(after.fitted), shards_of(state.fitted), strict=True)] == [
        i != k for i in range(5)
    ]


def test_a_shard_is_trained_again_with_its_own_seeds_in_place_but_other_noise(
    spy: type[Spy], data: TrainingSet
) -> None:
    model, method = spy(ALL_SEEDS), SISA(3)
    state = method.prepare(Original(model, data, TRAIN))
    method.serve(state, step([5]), SERVE / 0 / 1)
    old, new = next((task, model.tasks[3]) for task in model.tasks[:3] if 5 in held(task))
    assert (new.seeds.init, new.seeds.order) == (old.seeds.init, old.seeds.order)
    assert new.seeds.noise != old.seeds.noise
    assert new.data.ids.tolist() == old.data.ids.tolist()
    assert new.data.mask.tolist() == (old.data.ids != 5).tolist()
    assert len({(task.seeds.init, task.seeds.order, task.seeds.noise) for task in model.tasks[:3]}) == 3


def test_a_later_step_leaves_the_shards_of_an_earlier_one_alone(spy: type[Spy], data: TrainingSet) -> None:
    model, method = spy(ALL_SEEDS), SISA(4)
    first = method.prepare(Original(model, data, TRAIN))
    shards = [part.task for part in shards_of(first.fitted)]
    one = 0
    other = next(i for i in range(40) if shard_of(shards, i) != shard_of(shards, one))
    second = method.serve(first, step([one]), SERVE / 0 / 1)
    third = method.serve(second, step([other]), SERVE / 0 / 2)
    assert len(model.tasks) == 6
    k = shard_of(shards, one)
    assert shards_of(third.fitted)[k] is shards_of(second.fitted)[k]


def test_a_step_in_several_shards_trains_each_of_them_once(spy: type[Spy], data: TrainingSet) -> None:
    model, method = spy(), SISA(4)
    state = method.prepare(Original(model, data, TRAIN))
    group = [0, 1, 2, 3, 4, 5]
    touched = {shard_of([part.task for part in shards_of(state.fitted)], record) for record in group}
    method.serve(state, step(group), SERVE)
    assert len(model.tasks) == 4 + len(touched)


def test_no_request_changes_what_another_one_gets_whatever_their_order(spy: type[Spy], data: TrainingSet) -> None:
    requests = [Request((step([i]),)) for i in (3, 11, 20)] + [Request((step([1]), step([2, 30], [50])))]

    def serve(order: list[int]) -> dict[int, list[bytes]]:
        method = SISA(4)
        state = method.prepare(Original(spy(), data, TRAIN))
        chains = method.serve_all(state, [requests[i] for i in order], SERVE)
        answers = [[version.fitted.log_posteriors(data.records.x).tobytes() for version in one] for one in chains]
        return dict(zip(order, answers, strict=True))

    everyone = serve([0, 1, 2, 3])
    assert serve([3, 1, 0, 2]) == everyone
    assert all(serve([i])[i] == everyone[i] for i in range(4))


# --- slices


def test_stages_grow_slice_by_slice_and_each_continues_from_the_one_before(spy: type[Spy], data: TrainingSet) -> None:
    model = spy(continues=True)
    fitted = SISA(2, 4).prepare(Original(model, data, TRAIN)).fitted
    assert len(model.tasks) == 8
    for part in shards_of(fitted):
        stages = [part.task]
        while stages[0].start is not None:
            stages.insert(0, task_of(stages[0].start))
        assert [len(stage.data) for stage in stages] == [5, 10, 15, 20]
        assert all(held(a) < held(b) for a, b in pairwise(stages))


@pytest.mark.parametrize("seeds_used", [("init",), ALL_SEEDS])
@pytest.mark.parametrize("slice_number", [0, 1, 2, 3])
def test_training_starts_again_from_the_checkpoint_before_the_slice_of_the_record(
    spy: type[Spy], data: TrainingSet, seeds_used: tuple[SeedUse, ...], slice_number: int
) -> None:
    model, method = spy(seeds_used, continues=True), SISA(2, 4)
    state = method.prepare(Original(model, data, TRAIN))
    stages = [task for task in model.tasks if held(task) <= held(shards_of(state.fitted)[0].task)]
    earlier = held(stages[slice_number - 1]) if slice_number else set()
    record = min(held(stages[slice_number]) - earlier)
    after = method.serve(state, step([record]), SERVE / 0 / 1)
    again = model.tasks[8:]
    assert [held(task) for task in again] == [held(stage) - {record} for stage in stages[slice_number:]]
    assert shards_of(after.fitted)[0].task is again[-1]
    if slice_number:
        assert task_of(again[0].start) is stages[slice_number - 1]
    else:
        assert again[0].start is None


def test_a_slice_that_loses_its_last_record_is_skipped(spy: type[Spy], records: Records) -> None:
    model, method = spy(continues=True), SISA(1, 3)
    data = TrainingSet.of(records, [4, 5, 6])
    state = method.prepare(Original(model, data, TRAIN))
    (first,) = held(model.tasks[0])
    after = method.serve(state, step([first]), SERVE)
    assert [len(task.data) for task in model.tasks] == [1, 2, 3, 1, 2]
    assert task_of(task_of(after.fitted).start).start is None


# --- what is answered


@pytest.mark.parametrize("mean", ["constant", "size"])
def test_the_answer_is_the_mean_of_the_shards_trained_by_hand(
    tree: Tree, records: Records, data: TrainingSet, mean: Literal["constant", "size"]
) -> None:
    method, gone = SISA(3, mean=mean), step([0, 1, 2, 3, 4, 5, 6])
    state = method.prepare(Original(tree, data, TRAIN))
    after = method.serve(state, gone, SERVE / 0 / 1)
    for fitted, steps in ((state.fitted, ()), (after.fitted, (gone,))):
        parts = jobs(method, data, *steps)
        trained = [tree.fit(FitTask(part.data, part.seeds), "cpu").log_posteriors(records.x) for part in parts]
        counts = [len(part.data) for part in parts]
        weights = [1, 1, 1] if mean == "constant" else counts
        by_hand = sum(w * np.exp(answer) for w, answer in zip(weights, trained, strict=True)) / sum(weights)
        np.testing.assert_allclose(np.exp(fitted.log_posteriors(records.x)), by_hand, atol=1e-15)
    assert len(set(counts)) > 1, "the weights would not matter"


def test_one_shard_in_one_slice_is_plain_retraining(spy: type[Spy], data: TrainingSet) -> None:
    method = SISA(1)
    state = method.prepare(Original(spy(), data, TRAIN))
    after = method.serve(state, step([5]), SERVE).fitted
    assert task_of(after).data.ids.tolist() == data.ids.tolist()
    assert held(task_of(after)) == held(task_of(state.fitted)) - {5}


@pytest.mark.parametrize("mean", ["constant", "size"])
def test_a_shard_that_loses_its_last_record_leaves_the_ensemble(
    spy: type[Spy], records: Records, mean: Literal["constant", "size"]
) -> None:
    data = TrainingSet.of(records, [7, 8, 9])
    method = SISA(3, mean=mean)
    state = method.prepare(Original(spy(), data, TRAIN))
    after = method.serve(state, step([8]), SERVE).fitted
    left = [part for part in shards_of(state.fitted) if held(part.task) != {8}]
    assert [held(part.task) for part in shards_of(after)] == [held(part.task) for part in left]
    expected = log_mean(np.stack([part.log_posteriors(records.x) for part in left]))
    np.testing.assert_allclose(after.log_posteriors(records.x), expected)


def test_more_shards_than_records_are_as_many_models_as_records(spy: type[Spy], records: Records) -> None:
    model = spy()
    SISA(10).prepare(Original(model, TrainingSet.of(records, [7, 8, 9]), TRAIN))
    assert [len(task.data) for task in model.tasks] == [1, 1, 1]


# --- with whom it goes


def test_slices_need_a_model_that_continues(spy: type[Spy]) -> None:
    refusal = SISA(slices=2).refusal(DecisionTree())
    assert refusal is not None
    assert refusal.endswith("use slices: 1")
    assert SISA(slices=1).refusal(DecisionTree()) is None
    assert SISA(slices=2).refusal(spy(continues=True)) is None
    assert SISA(slices=2).refusal(MLP()) is None


def test_a_model_that_cannot_keep_places_is_refused() -> None:
    refusal = SISA().refusal(RandomForest(draws="redrawn"))
    assert refusal is not None
    assert "order: slot" in refusal
    assert SISA().refusal(RandomForest(draws="keyed")) is None
