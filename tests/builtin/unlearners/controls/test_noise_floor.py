from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from unlearnbench.builtin.unlearners.controls.noise_floor import NoiseFloor
from unlearnbench.builtin.unlearners.exact.retrain import Retrain
from unlearnbench.core.models import TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath

if TYPE_CHECKING:
    from tests.builtin.unlearners.conftest import Spy, SpyFitted


TRAIN, SERVE = SeedPath(2) / "train", SeedPath(2) / "serve"
REQUESTS = [Request((Step(np.array([3])), Step(np.array([4])))), Request((Step(np.array([5, 6])),))]


def serve(model: TargetModel, data: TrainingSet) -> Any:
    method = NoiseFloor()
    state = method.prepare(Original(model, data, TRAIN))
    return state, [version for chain in method.serve_all(state, REQUESTS, SERVE) for version in chain]


def test_every_record_stays_in_its_place(spy: type[Spy], data: TrainingSet) -> None:
    model = spy()
    serve(model, data)
    assert len(model.tasks) == 4
    assert all(task.data is data for task in model.tasks)


def test_every_version_has_fresh_seeds_of_every_kind(spy: type[Spy], data: TrainingSet) -> None:
    model = spy(("init", "order", "noise"))
    serve(model, data)
    for purpose in ("init", "order", "noise"):
        assert len({getattr(task.seeds, purpose) for task in model.tasks}) == 4


def test_a_model_that_ignores_seeds_is_trained_once_and_its_floor_is_the_original(
    spy: type[Spy], data: TrainingSet
) -> None:
    model = spy(())
    original, versions = serve(model, data)
    assert len(model.tasks) == 1
    assert all(version.fitted is original.fitted for version in versions)


def test_the_original_is_the_one_that_retraining_starts_from(spy: type[Spy], data: TrainingSet) -> None:
    floor, _ = serve(spy(), data)
    retrained = Retrain().prepare(Original(spy(), data, TRAIN))
    original = cast("SpyFitted", retrained.fitted)
    assert floor.fitted.task.seeds == original.task.seeds
