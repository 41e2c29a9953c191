from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import LINEAR, NETWORK, weights
from unlearnbench.builtin.unlearners.edits.fisher import Fisher, fisher_information, noise_like
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.gradients.unlearner import has_module


def test_the_information_of_softmax_regression_is_known_in_closed_form() -> None:
    """Of two records: the mean of p_c (1 - p_c) x_j^2 for the weight of class c and feature j."""
    original = LINEAR.original()
    fitted, data = has_module(original.fitted), TrainingSet.of(LINEAR.records, [3, 7])
    x = fitted.inputs(data.x)
    p = fitted.module(x).softmax(dim=1).detach()
    weight, bias = fisher_information(fitted, data)
    torch.testing.assert_close(weight, ((p * (1 - p)).unsqueeze(2) * x.square().unsqueeze(1)).mean(dim=0))
    torch.testing.assert_close(bias, (p * (1 - p)).mean(dim=0))


def test_variances_are_bounded_averaged_over_inputs_and_larger_for_vectors() -> None:
    information = torch.tensor([[0.0, 1.0], [0.05, 0.1]])
    method = Fisher(alpha=0.01)
    expected = torch.tensor([[5.005, 5.005], [0.15, 0.15]])
    torch.testing.assert_close(method.variance(information, last=False), expected)
    torch.testing.assert_close(method.variance(information, last=True)[0], torch.tensor([0.505, 0.505]))
    torch.testing.assert_close(method.variance(torch.tensor([0.5, 0.0]), last=True), torch.tensor([0.2, 10.0]))


def test_noise_is_standard_normal_and_another_one_for_each_parameter_and_version() -> None:
    draws = noise_like(torch.zeros(100, 100), 1, 0).numpy()
    assert draws.mean() == pytest.approx(0, abs=0.04)  # four standard deviations of a mean of 10,000
    assert draws.var() == pytest.approx(1, abs=0.06)
    assert not np.array_equal(draws, noise_like(torch.zeros(100, 100), 1, 1).numpy())
    assert not np.array_equal(draws, noise_like(torch.zeros(100, 100), 2, 0).numpy())


def test_weights_move_by_noise_of_the_stated_variance() -> None:
    """The squares of 200 versions' noise on a weight have its variance as their mean, within four deviations."""
    method, original = Fisher(alpha=1e-4), NETWORK.original()
    fitted = has_module(original.fitted)
    moved = np.stack([weights(each) for each in NETWORK.unlearn(method, *[[1]] * 200)]) - weights(fitted)
    information = fisher_information(fitted, TrainingSet.of(NETWORK.records, [0, *range(2, 60)]))
    parts = [method.variance(each, last=number >= 4) for number, each in enumerate(information)]
    variance = torch.cat([part.flatten() for part in parts]).numpy()
    np.testing.assert_allclose((moved**2).mean(axis=0) / variance, 1, atol=4 * np.sqrt(2 / 200))


def test_without_a_scale_there_is_no_noise() -> None:
    (deletion,) = NETWORK.deletions(Fisher(), [[1]])
    assert Fisher(alpha=0.0).unlearn(deletion) is deletion.fitted
