from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest

from unlearnbench.builtin.models.random_forest import RandomForest
from unlearnbench.builtin.unlearners.exact.retrain import Retrain
from unlearnbench.core.models import Seeds, SeedUse, TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Order, Step, TrainingSet
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import Unlearner

if TYPE_CHECKING:
    from tests.builtin.unlearners.conftest import Spy


TRAIN, SERVE = SeedPath(2) / "train", SeedPath(2) / "serve"
ALL_SEEDS: tuple[SeedUse, ...] = ("init", "order", "noise")
REQUESTS = [
    Request((Step(np.array([3])),)),
    Request((Step(np.array([8]), np.array([50])), Step(np.array([50, 1])))),
]
MODES = [(init, order) for init in ("same", "fresh") for order in ("slot", "compact", "fresh")]


def serve(method: Unlearner, model: TargetModel, data: TrainingSet) -> Any:
    state = method.prepare(Original(model, data, TRAIN))
    return state, method.serve_all(state, REQUESTS, SERVE)


@pytest.mark.parametrize(("init", "order"), MODES)
def test_seeds_are_shared_with_the_original_or_fresh_as_asked_and_noise_never_is(
    spy: type[Spy], data: TrainingSet, init: Literal["same", "fresh"], order: Order
) -> None:
    model = spy(ALL_SEEDS)
    original, chains = serve(Retrain(init, order), model, data)
    old = original.fitted.task.seeds
    new = [state.fitted.task.seeds for chain in chains for state in chain]
    assert old == Seeds.at(TRAIN)
    assert len(model.tasks) == 4
    assert len({seeds.init for seeds in new} | {old.init}) == (1 if init == "same" else 4)
    assert len({seeds.order for seeds in new} | {old.order}) == (4 if order == "fresh" else 1)
    assert len({seeds.noise for seeds in new} | {old.noise}) == 4


@pytest.mark.parametrize("init", ["same", "fresh"])
def test_slot_masks_the_forgotten_record_in_its_place(
    spy: type[Spy], data: TrainingSet, init: Literal["same", "fresh"]
) -> None:
    _, ((first,), (second, third)) = serve(Retrain(init, "slot"), spy(), data)
    assert first.fitted.task.data.ids.tolist() == data.ids.tolist()
    assert first.fitted.task.data.mask.tolist() == (data.ids != 3).tolist()
    assert second.fitted.task.data.ids.tolist() == third.fitted.task.data.ids.tolist() == [*data.ids, 50]
    assert second.fitted.task.data.mask.tolist() == [*(data.ids != 8), True]
    assert third.fitted.task.data.mask.tolist() == [*~np.isin(data.ids, [8, 1]), False]


@pytest.mark.parametrize(("init", "order"), [mode for mode in MODES if mode[1] != "slot"])
def test_compact_and_fresh_close_the_gap(
    spy: type[Spy], data: TrainingSet, init: Literal["same", "fresh"], order: Order
) -> None:
    _, ((first,), (second, third)) = serve(Retrain(init, order), spy(), data)
    kept = data.ids.tolist()
    assert first.fitted.task.data.ids.tolist() == [i for i in kept if i != 3]
    assert second.fitted.task.data.ids.tolist() == [*(i for i in kept if i != 8), 50]
    assert third.fitted.task.data.ids.tolist() == [i for i in kept if i not in (8, 1)]
    assert third.fitted.task.data.mask.all()


@pytest.mark.parametrize(("init", "order"), MODES)
def test_a_version_refers_to_the_original_training_set_for_what_is_scaled_by_it(
    spy: type[Spy], data: TrainingSet, init: Literal["same", "fresh"], order: Order
) -> None:
    _, chains = serve(Retrain(init, order), spy(), data)
    assert all(state.fitted.task.data.original is data for chain in chains for state in chain)


@pytest.mark.parametrize("order", ["slot", "compact"])
def test_an_order_that_the_model_cannot_honour_is_refused(order: Order) -> None:
    redrawn = RandomForest(draws="redrawn")
    refusal = Retrain(order=order).refusal(redrawn)
    assert refusal is not None
    assert "RandomForest" in refusal
    assert refusal.endswith("use order: fresh")
    assert Retrain(order=order).refusal(RandomForest(draws="keyed")) is None


def test_a_fresh_order_goes_with_every_model(spy: type[Spy]) -> None:
    assert Retrain(order="fresh").refusal(RandomForest(draws="redrawn")) is None
    assert Retrain(order="fresh").refusal(spy()) is None
