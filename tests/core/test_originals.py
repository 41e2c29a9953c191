"""An original is trained when it is first asked for, once for all who share it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn, cast

import numpy as np
import pytest

from unlearnbench.core.models import FitTask, Fitted, Seeds
from unlearnbench.core.options import TrainingOptions
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Provenance, Records, TrainingSet
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.training import TrainingJob

if TYPE_CHECKING:
    from tests.conftest import Spy, SpyFitted


NOBODY = np.empty(0, dtype=np.int64)
TRAIN = SeedPath(3) / "train"


@pytest.fixture
def data() -> TrainingSet:
    x = np.random.default_rng(0).normal(size=(60, 2))
    return TrainingSet.of(Records("toy", x, np.arange(60) % 3, 3, Provenance("made up", "CC0")), np.arange(40))


def task_of(fitted: Fitted) -> FitTask:
    """Return the task that a spy was trained on."""
    return cast("SpyFitted", fitted).task


def other_job(data: TrainingSet, seed: int = 1) -> Any:
    return TrainingJob(data, Seeds(seed, seed, seed))


def test_it_is_trained_when_first_asked_for_with_the_seeds_of_its_path(spy: type[Spy], data: TrainingSet) -> None:
    model = spy()
    original = Original(model, data, TRAIN)
    assert (model.tasks, original.is_trained, original.seconds) == ([], False, 0.0)
    assert original.fitted is original.fitted
    (task,) = model.tasks
    assert (task.data, task.seeds) == (data, Seeds.at(TRAIN))
    assert original.is_trained
    assert original.seconds > 0


def test_all_who_share_it_get_the_same_model_whoever_asks_first(spy: type[Spy], data: TrainingSet) -> None:
    model = spy()
    source = Original(model, data, TRAIN)
    first, second = (source.share(NOBODY) for _ in range(2))
    again = second.share(NOBODY)
    assert first.fitted is second.fitted is source.fitted is again.fitted
    assert len(model.tasks) == 1
    assert first.seconds == second.seconds == source.seconds


def test_one_who_never_asks_has_no_seconds_of_training(spy: type[Spy], data: TrainingSet) -> None:
    source = Original(spy(), data, TRAIN)
    user, other = source.share(NOBODY), source.share(NOBODY)
    assert user.fitted
    assert (other.is_trained, other.seconds) == (False, 0.0)


def test_the_original_as_a_job_is_the_shared_one_alone_among_others_and_as_a_start(
    spy: type[Spy], data: TrainingSet
) -> None:
    model = spy()
    source = Original(model, data, TRAIN)
    for jobs in ([source.job], [other_job(data), source.job], [TrainingJob(data, Seeds(9, 9, 9), source.job)]):
        user = source.share(NOBODY)
        fitted = user.train(jobs)[-1]
        assert source.fitted in (fitted, task_of(fitted).start)
        assert user.is_trained
    assert [task.seeds for task in model.tasks].count(Seeds.at(TRAIN)) == 1


def test_other_jobs_are_trained_once_by_each_user_and_shared_with_none(spy: type[Spy], data: TrainingSet) -> None:
    model = spy()
    source = Original(model, data, TRAIN)
    for user in (source.share(NOBODY), source.share(NOBODY)):
        first, second = user.train([other_job(data)]), user.train([other_job(data), other_job(data, 2)])
        assert first[0] is second[0]
        assert not user.is_trained
    assert len(model.tasks) == 2 * 2


def test_users_keep_the_recipe_and_have_validation_records_of_their_own(spy: type[Spy], data: TrainingSet) -> None:
    model, options = spy(), TrainingOptions(dropout=0.5)
    source = Original(model, data, TRAIN, "cpu", options)
    user = source.share(np.array([50, 41]))
    assert (user.model, user.data, user.seeds, user.options) == (model, data, TRAIN, options)
    assert user.validation.kept_ids.tolist() == [50, 41]
    assert user.validation.records is data.records
    assert len(source.validation) == 0
    assert task_of(user.train([other_job(data)])[0]).options is options


def test_training_that_fails_fails_for_every_user(spy: type[Spy], data: TrainingSet) -> None:
    class Fails(spy):  # type: ignore[valid-type, misc]  # the class comes from a fixture
        def fit_many(self, tasks: Sequence[FitTask], device: str) -> NoReturn:
            raise RuntimeError("cannot learn")

    source = Original(Fails(), data, TRAIN)
    for user in (source.share(NOBODY), source.share(NOBODY)):
        with pytest.raises(RuntimeError, match="cannot learn"):
            _ = user.fitted
        assert (user.is_trained, source.is_trained) == (False, False)
