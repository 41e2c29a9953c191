"""Gradients over records do not depend on how records are cut into blocks."""

from __future__ import annotations

import pytest
import torch

from tests.engine.gradients.case import NETWORK
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.gradients import importance
from unlearnbench.engine.gradients.fresh import initialize
from unlearnbench.engine.gradients.sums import mean_gradient
from unlearnbench.engine.gradients.unlearner import has_module


@pytest.mark.parametrize("block", [1, 7, 60])
def test_blocks_do_not_matter(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted, data = has_module(NETWORK.original().fitted), NETWORK.original().data
    whole = importance.mean_squared_gradient(fitted, data)
    rows = importance.gradients_by_record(fitted, data)
    monkeypatch.setattr(importance, "_BLOCK", block)
    parts = importance.mean_squared_gradient(fitted, data)
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(rows, importance.gradients_by_record(fitted, data), atol=1e-6, rtol=1e-5)


def test_rows_of_gradients_have_the_mean_gradient_as_their_mean() -> None:
    fitted, data = has_module(NETWORK.original().fitted), NETWORK.original().data
    mean = torch.cat([each.flatten() for each in mean_gradient(fitted, data)])
    torch.testing.assert_close(importance.gradients_by_record(fitted, data).mean(dim=0), mean, atol=1e-6, rtol=1e-4)


def test_of_no_records_everything_is_zero() -> None:
    fitted, nothing = has_module(NETWORK.original().fitted), TrainingSet.of(NETWORK.records, [])
    assert all(not each.any() for each in importance.mean_squared_gradient(fitted, nothing))
    assert importance.gradients_by_record(fitted, nothing).shape == (0, 4 * 8 + 8 + 8 * 5 + 5 + 5 * 3 + 3)


def test_blocks_of_large_networks_are_small() -> None:
    assert importance._block_size({"weight": torch.empty(2**20, device="meta")}, 4) == 4
    assert importance._block_size({"weight": torch.empty(2**26, device="meta")}, 4) == 1


class Scale(torch.nn.Module):
    """A layer that cannot be drawn anew."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = torch.nn.Parameter(torch.ones(3))


def test_weights_are_drawn_anew_and_running_statistics_cleared() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Sequential(torch.nn.BatchNorm1d(3)))
    module.train()(torch.randn(8, 3, generator=torch.Generator().manual_seed(0)) + 5)
    before = torch.get_rng_state()
    first = initialize(module, 1).state_dict()
    values = {name: value.clone() for name, value in first.items()}
    assert not values["1.0.running_mean"].any()
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(initialize(module, 2).state_dict()["0.weight"], values["0.weight"])
    assert torch.equal(initialize(module, 1).state_dict()["0.weight"], values["0.weight"])


def test_a_layer_that_cannot_be_drawn_anew_is_named() -> None:
    with pytest.raises(UserError, match="Scale has weights and no reset_parameters"):
        initialize(torch.nn.Sequential(torch.nn.Linear(3, 3), Scale()), 0)
