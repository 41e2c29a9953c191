from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from unlearnbench.core.models import FitTask, Fitted, Seeds
from unlearnbench.core.options import DPSGD, TrainingOptions
from unlearnbench.core.records import Provenance, Records, Step, TrainingSet
from unlearnbench.core.training import Trainer, TrainingJob
from unlearnbench.engine.sklearn_model import Constant

if TYPE_CHECKING:
    from tests.conftest import Spy, SpyFitted


SEEDS = Seeds(1, 2, 3)


@pytest.fixture
def records() -> Records:
    x = np.random.default_rng(0).normal(size=(60, 2))
    return Records("toy", x, np.arange(60) % 3, 3, Provenance("made up", "CC0"))


@pytest.fixture
def data(records: Records) -> TrainingSet:
    return TrainingSet.of(records, np.arange(20))


def task_of(fitted: Fitted | None) -> FitTask:
    """Return the task that a spy was trained on."""
    return cast("SpyFitted", fitted).task


def test_jobs_come_back_in_their_order_and_are_trained_together(spy: type[Spy], records: Records) -> None:
    model = spy()
    jobs = [TrainingJob(TrainingSet.of(records, np.arange(n)), SEEDS) for n in (5, 2, 9)]
    fitted = Trainer(model, "cpu").train(jobs)
    assert [len(task_of(one).data) for one in fitted] == [5, 2, 9]
    assert len(model.batches) == 1


def test_equal_jobs_are_trained_once_within_a_call_and_over_calls(spy: type[Spy], records: Records) -> None:
    model = spy()
    trainer = Trainer(model, "cpu")

    def job(n: int = 4) -> TrainingJob:
        return TrainingJob(TrainingSet.of(records, np.arange(n)), Seeds(1, 2, 3))

    first, second, other = trainer.train([job(), job(), job(5)])
    (again,) = trainer.train([job()])
    assert first is second is again
    assert other is not first
    assert len(model.tasks) == 2


def test_nothing_new_asks_nothing_of_the_model(spy: type[Spy], data: TrainingSet) -> None:
    model = spy()
    trainer = Trainer(model, "cpu")
    for _ in range(2):
        trainer.train([TrainingJob(data, SEEDS)])
    assert trainer.train([]) == []
    assert len(model.batches) == 1


@pytest.mark.parametrize("used", [(), ("init",), ("order", "noise"), ("init", "order", "noise")])
def test_jobs_that_differ_in_unused_seeds_only_are_one_job(
    spy: type[Spy], data: TrainingSet, used: tuple[Any, ...]
) -> None:
    model = spy(used)
    variants = [SEEDS, *(replace(SEEDS, **{name: 99}) for name in ("init", "order", "noise"))]
    Trainer(model, "cpu").train([TrainingJob(data, seeds) for seeds in variants])
    assert len(model.tasks) == 1 + len(used)


def test_records_their_order_and_their_places_tell_jobs_apart(
    spy: type[Spy], records: Records, data: TrainingSet
) -> None:
    model = spy()
    gone = Step(np.array([3]))
    sets = [data, TrainingSet.of(records, np.arange(20)[::-1]), data.after(gone), data.after(gone, "compact")]
    Trainer(model, "cpu").train([TrainingJob(one, SEEDS) for one in sets])
    assert len(model.tasks) == 4


def test_a_job_continues_from_the_model_of_its_start(spy: type[Spy], records: Records) -> None:
    model = spy()
    stages = [TrainingSet.of(records, np.arange(n)) for n in (3, 6, 9)]
    job = TrainingJob(stages[0], SEEDS)
    for stage in stages[1:]:
        job = TrainingJob(stage, SEEDS, job)
    (last,) = Trainer(model, "cpu").train([job])
    assert [len(task.data) for task in model.tasks] == [3, 6, 9]
    second = task_of(last).start
    first = task_of(second).start
    assert [len(task_of(one).data) for one in (second, first)] == [6, 3]
    assert task_of(first).start is None


def test_chains_that_share_their_beginning_share_its_models_and_go_stage_by_stage(
    spy: type[Spy], records: Records
) -> None:
    model = spy()
    begin = TrainingJob(TrainingSet.of(records, np.arange(3)), SEEDS)
    ends = [TrainingJob(TrainingSet.of(records, np.arange(n)), SEEDS, begin) for n in (6, 7, 8)]
    fitted = Trainer(model, "cpu").train(ends)
    assert [len(batch) for batch in model.batches] == [1, 3]
    assert len({id(task_of(one).start) for one in fitted}) == 1


def test_the_same_records_with_another_start_are_another_job(spy: type[Spy], data: TrainingSet) -> None:
    first, second = (TrainingJob(data, replace(SEEDS, init=seed)) for seed in (1, 2))
    assert Trainer(spy()).key(TrainingJob(data, SEEDS, first)) != Trainer(spy()).key(TrainingJob(data, SEEDS, second))
    assert Trainer(spy()).key(TrainingJob(data, SEEDS, first)) != Trainer(spy()).key(TrainingJob(data, SEEDS))
    assert Trainer(spy(())).key(TrainingJob(data, SEEDS, first)) == Trainer(spy(())).key(
        TrainingJob(data, SEEDS, second)
    )


def test_a_model_that_loses_a_task_on_its_way_is_found_out(data: TrainingSet, spy: type[Spy]) -> None:
    class Forgetful(spy):  # type: ignore[valid-type, misc]  # the class comes from a fixture
        def fit_many(self, tasks: Sequence[FitTask], device: str) -> Sequence[Fitted]:
            trained: Sequence[Fitted] = super().fit_many(tasks, device)
            return trained[:-1]

    with pytest.raises(ValueError, match="a model for each of 1 tasks, got 0"):
        Trainer(Forgetful(), "cpu").train([TrainingJob(data, SEEDS)])


def test_the_reference_engine_trains_by_fit_one_after_the_other(data: TrainingSet, spy: type[Spy]) -> None:
    class Plain(spy):  # type: ignore[valid-type, misc]  # the class comes from a fixture
        def fit(self, task: FitTask, device: str) -> Fitted:
            return Constant(0, task.data.n_classes)

    jobs = [TrainingJob(data, SEEDS), TrainingJob(data, replace(SEEDS, init=9))]
    model = Plain()
    fitted = Trainer(model, engine="reference").train(jobs)
    assert fitted == [Constant(0, 3)] * 2
    assert model.batches == []


def test_every_task_is_handed_the_options_of_the_training_defense(data: TrainingSet, spy: type[Spy]) -> None:
    options = TrainingOptions(dropout=0.5)
    (fitted,) = Trainer(spy(), options=options).train([TrainingJob(data, SEEDS)])
    assert task_of(fitted).options is options


def test_under_differential_privacy_no_two_models_share_their_noise(data: TrainingSet, spy: type[Spy]) -> None:
    model = spy(("init",))
    jobs = [TrainingJob(data, replace(SEEDS, noise=noise)) for noise in (1, 2)]
    Trainer(model).train(jobs)
    assert len(model.tasks) == 1
    Trainer(model, options=TrainingOptions(dp=DPSGD(1.0, 1.0, 1e-5))).train(jobs)
    assert len(model.tasks) == 1 + 2
