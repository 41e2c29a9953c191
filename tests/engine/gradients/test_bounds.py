"""Records between the bounds of their features, and the nearest ones of another class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import LINEAR, NETWORK, Case
from tests.engine.gradients.test_train import images
from unlearnbench.builtin.models.simple_cnn.model import SimpleCNN
from unlearnbench.core.errors import UserError
from unlearnbench.engine.gradients.adversarial import nearest_flips
from unlearnbench.engine.gradients.bounds import Bounds
from unlearnbench.engine.gradients.unlearner import has_module

CNN = Case(SimpleCNN(epochs=1), replace(images(), bounds=(-6, 6)))


def of(case: Case) -> tuple[Bounds, torch.Tensor]:
    """Return the bounds of a case, and the levels of its records."""
    fitted = has_module(case.original().fitted)
    bounds = Bounds.of(fitted, case.records)
    return bounds, bounds.levels(fitted.inputs(case.records.x))


@pytest.mark.parametrize("case", [NETWORK, CNN], ids=["mlp", "cnn"])
def test_levels_are_the_features_between_their_bounds_in_the_shape_of_the_inputs(case: Case) -> None:
    low, high = case.records.bounds or (0, 0)
    bounds, levels = of(case)
    expected = (case.records.x - low) / (high - low)
    np.testing.assert_allclose(levels.numpy().reshape(expected.shape), expected, atol=1e-5)
    inputs = bounds.fitted.inputs(case.records.x)
    assert levels.shape == inputs.shape
    torch.testing.assert_close(bounds.inputs(levels), inputs, atol=1e-4, rtol=1e-4)


def test_a_level_beyond_the_bounds_is_clipped() -> None:
    bounds, levels = of(NETWORK)
    far = bounds.inputs(levels + 3)
    assert bounds.levels(far).eq(1).all()


def test_the_slope_is_the_gradient_of_each_record_by_its_own_levels() -> None:
    """Of softmax regression: W (p - y), times how much inputs change with levels."""
    bounds, levels = of(LINEAR)
    labels = torch.tensor(LINEAR.records.y)
    weight = next(bounds.fitted.module.parameters()).detach()
    error = torch.exp(torch.tensor(bounds.fitted.log_posteriors(LINEAR.records.x))).float()
    error[range(len(labels)), labels] -= 1
    torch.testing.assert_close(bounds.slope(levels, labels), error @ weight * bounds.span, atol=1e-4, rtol=1e-3)


def test_a_data_set_without_bounds_is_told() -> None:
    with pytest.raises(
        UserError, match="needs a data set with `bounds`, within which features may be changed; made up has none"
    ):
        Bounds.of(has_module(NETWORK.original().fitted), replace(NETWORK.records, bounds=None))


@pytest.mark.parametrize("case", [NETWORK, CNN], ids=["mlp", "cnn"])
def test_the_nearest_flip_is_within_twice_the_smallest_radius_that_flips(case: Case) -> None:
    bounds, levels = of(case)
    levels, labels = levels[:20], bounds.predicted(levels[:20])
    found = nearest_flips(bounds, levels, labels, 0.01, 50)
    flipped = bounds.predicted(found) != labels
    assert flipped.sum() > 10
    assert found.min() >= 0
    assert found.max() <= 1
    for k in flipped.nonzero()[:6, 0].tolist():
        radius = 0.01
        while True:  # the smallest ball of those tried in which a search of its own flips the record
            own = nearest_flips(bounds, levels[[k]], labels[[k]], radius, 50)
            distance = float((own - levels[[k]]).norm())
            if distance <= radius + 1e-6:
                break
            radius *= 2
        assert float((found[k] - levels[k]).norm()) <= 2 * radius + 1e-5


def test_a_record_of_another_class_already_stays_and_one_that_nothing_flips_ends_the_search() -> None:
    bounds, levels = of(LINEAR)
    other = (bounds.predicted(levels) + 1) % 3
    assert torch.equal(nearest_flips(bounds, levels, other, 0.01, 50), levels)
    for parameter in bounds.fitted.module.parameters():
        parameter.data.zero_()
    constant = torch.zeros(len(levels), dtype=torch.int64)
    assert torch.equal(nearest_flips(bounds, levels, constant, 0.5, 3), levels)
