"""What methods cost: known counts of methods that train a part, and what edits say they read against what is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

from tests.engine.gradients.case import NETWORK
from unlearnbench.builtin.unlearners.controls.none import NoUnlearning
from unlearnbench.builtin.unlearners.controls.random_noise import RandomNoise
from unlearnbench.builtin.unlearners.edits.fisher import Fisher
from unlearnbench.builtin.unlearners.edits.influence import DampedInfluence, Influence
from unlearnbench.builtin.unlearners.edits.ssd import SSD, AdaptiveSSD, LossFreeSSD
from unlearnbench.builtin.unlearners.exact.retrain import Retrain
from unlearnbench.builtin.unlearners.exact.sisa import SISA
from unlearnbench.builtin.unlearners.gradient.salun import SalUn
from unlearnbench.core.records import Step
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import CountsPasses, Unlearner
from unlearnbench.engine.gradients import importance, sums
from unlearnbench.engine.gradients.unlearner import GradientUnlearner

if TYPE_CHECKING:
    import torch

    from unlearnbench.core.records import TrainingSet
    from unlearnbench.engine.networks.modules import HasModule

READING = [SSD(), SSD(batch_size=4), LossFreeSSD(), AdaptiveSSD(), Influence(), DampedInfluence(), SalUn()]


def passes(method: Unlearner, forget: Sequence[int]) -> float:
    state = method.serve(method.prepare(NETWORK.original()), Step(forget), SeedPath(1))  # type: ignore[arg-type]  # a list of ids
    assert isinstance(state, CountsPasses)
    return state.passes


@pytest.mark.parametrize("method", [NoUnlearning(), RandomNoise()], ids=repr)
def test_controls_that_train_nothing_cost_nothing(method: Unlearner) -> None:
    assert passes(method, [3]) == 0


@pytest.mark.parametrize("method", [Retrain(), Retrain("fresh", "fresh")])
def test_retraining_costs_one(method: Retrain) -> None:
    assert passes(method, range(10)) == 1


def test_a_shard_of_ten_costs_a_tenth() -> None:
    assert passes(SISA(10), [7]) == 5 / 59
    assert passes(SISA(1), [7]) == 1


def test_slices_before_the_record_are_not_trained_again() -> None:
    costs = {passes(SISA(1, slices=2), [record]) for record in range(60)}
    assert costs == {59 / 59, (29 + 59) / 59}


@pytest.mark.parametrize("method", READING, ids=lambda method: type(method).__name__)
def test_edits_and_masks_read_what_they_say(method: GradientUnlearner, monkeypatch: pytest.MonkeyPatch) -> None:
    (deletion,) = NETWORK.deletions(method, [range(10)])
    read = counted(monkeypatch)
    method.unlearn(deletion)
    assert sum(read) == method.records_read(deletion) > 0


def test_fisher_takes_a_gradient_for_each_class(monkeypatch: pytest.MonkeyPatch) -> None:
    (deletion,) = NETWORK.deletions(Fisher(), [range(10)])
    read = counted(monkeypatch)
    Fisher().unlearn(deletion)
    assert Fisher().records_read(deletion) == sum(read) * NETWORK.records.n_classes == 50 * 3


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that fills with the sizes of the blocks of which gradients are computed."""
    read: list[int] = []
    blocks = importance._blocks

    def counting(fitted: HasModule, data: TrainingSet, size: int, labels: bool) -> Iterator[tuple[torch.Tensor, ...]]:
        for block in blocks(fitted, data, size, labels):
            read.append(len(block[0]))
            yield block

    of_pack = sums._of_pack

    def counting_pack(fitted: HasModule, pack: Sequence[sums.Block]) -> torch.Tensor:
        read.append(sum(len(block.ids) for block in pack))
        return of_pack(fitted, pack)

    monkeypatch.setattr(importance, "_blocks", counting)
    monkeypatch.setattr(sums, "_of_pack", counting_pack)
    monkeypatch.setattr(sums, "_first_alike", lambda sets: list(range(len(sets))))  # records count with repetitions
    return read
