from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.gradients.case import LINEAR, NETWORK, batch_of, gradient, known, weights
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.builtin.unlearners.gradient.sfron import SFRon, shortened
from unlearnbench.engine.gradients.passes import Pass
from unlearnbench.engine.gradients.unlearner import has_module

FORGET = range(12)


def test_the_adaptive_loss_is_the_known_one() -> None:
    case = known("sfron_adaptive_loss")
    batch = batch_of(case["logits"], case["logits"], case["labels"])
    loss = SFRon(balance=case["lambda"]).adaptive(batch).mean().item()
    assert loss == pytest.approx(case["loss"], rel=1e-6)


def test_a_record_that_is_known_well_counts_more() -> None:
    batch = batch_of([[4.0, 0.0, 0.0], [0.0, 0.0, 0.0]], [[0.0] * 3] * 2, [0, 0])
    (slope,) = torch.autograd.grad(SFRon(balance=0.5).adaptive(batch).sum(), batch.logits, retain_graph=True)
    (plain,) = torch.autograd.grad(SFRon(balance=0.0).adaptive(batch).sum(), batch.logits)
    weight = (slope / plain)[:, 0]
    loss = batch.cross_entropy(batch.labels).detach()
    torch.testing.assert_close(weight / weight.sum(), loss**-0.5 / (loss**-0.5).sum())
    assert weight.mean().item() == pytest.approx(1)


def test_no_weight_matters_enough_for_an_infinite_threshold_and_it_is_fine_tuning() -> None:
    method = SFRon(threshold=float("inf"), epochs=3, batch_size=16, momentum=0.0, weight_decay=0.0)
    (stage,) = method.stages(NETWORK.original())
    (pass_,) = stage.passes

    class Same(Finetune):
        def stages(self, original: object) -> list[object]:  # type: ignore[override]  # for this test alone
            return [replace(stage, passes=[Pass(pass_.terms[:1], pass_.rate, cycles=3)])]

    (climbed,), (tuned,) = NETWORK.unlearn(method, FORGET), NETWORK.unlearn(Same(), FORGET)
    np.testing.assert_allclose(weights(climbed), weights(tuned), atol=1e-7)


def test_a_weight_is_in_the_mask_where_its_squared_gradient_is_larger_on_the_forget_set() -> None:
    (deletion,) = LINEAR.deletions(SFRon(), [FORGET])
    before = LINEAR.original().fitted
    own, rest = (gradient(before, LINEAR.records, ids) ** 2 for ids in (FORGET, range(12, 60)))
    found = np.concatenate([part.numpy().ravel() for part in SFRon().context(deletion)])
    assert np.array_equal(found, own >= rest)
    assert 0 < found.sum() < len(found)


def first_steps(method: SFRon) -> np.ndarray:
    return weights(LINEAR.unlearn(method, FORGET)[0]) - weights(LINEAR.original().fitted)


def test_the_first_step_climbs_within_the_mask_and_the_next_descends_where_it_leads() -> None:
    method = SFRon(alpha=0.7, epochs=1, learning_rate=0.1, momentum=0.0, weight_decay=0.0, balance=0.0)
    (deletion,) = LINEAR.deletions(method, [FORGET])
    fitted = has_module(deletion.fitted)
    mask = np.concatenate([part.numpy().ravel() for part in method.context(deletion)])
    up = 0.1 * 0.7 * mask * gradient(fitted, LINEAR.records, FORGET)
    module = type(fitted.module)(*[torch.nn.Linear(4, 3)])
    torch.nn.utils.vector_to_parameters(torch.tensor(weights(fitted) + up, dtype=torch.float32), module.parameters())
    down = gradient(fitted.with_module(module), LINEAR.records, range(12, 60))
    np.testing.assert_allclose(first_steps(method), up - 0.1 * down, atol=1e-5)


def test_every_fifth_step_climbs_first() -> None:
    seen: list[bool] = []

    class Watched(SFRon):
        def _steps(self, gradients: object) -> object:  # type: ignore[override]  # for this test alone
            seen.append(gradients.has(1))  # type: ignore[attr-defined]  # gradients
            return super()._steps(gradients)  # type: ignore[arg-type]  # as above

    NETWORK.unlearn(Watched(epochs=4, batch_size=16), FORGET)
    assert seen == [True, False, False, False, False, True, False, False, False, False, True, False]


def test_step_size_and_alpha_fall_as_half_a_cosine() -> None:
    (stage,) = SFRon().stages(NETWORK.original())
    assert [stage.passes[0].rate_at(done) for done in (0, 0.5, 0.75)] == pytest.approx([1, 0.5, 0.1464], abs=1e-4)


@given(values=st.lists(st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=4), min_size=1, max_size=3))
def test_a_gradient_is_shortened_as_a_whole_and_keeps_its_direction(values: list[list[float]]) -> None:
    parts = [torch.tensor(each) for each in values]
    whole, found = torch.cat(parts), torch.cat(shortened(parts, 7.0))
    assert found.norm() <= 7.0 + 1e-4
    torch.testing.assert_close(found, whole * min(1.0, 7.0 / (float(whole.norm()) + 1e-6)), atol=1e-4, rtol=1e-4)


def test_the_forget_set_is_forgotten() -> None:
    method = SFRon(alpha=5.0, batch_size=16, learning_rate=0.05)
    (after,), (tuned,) = NETWORK.unlearn(method, FORGET), NETWORK.unlearn(replace(method, alpha=0.0), FORGET)
    x, y = NETWORK.records.x[:12], NETWORK.records.y[:12]
    assert after.log_posteriors(x)[FORGET, y].mean() < tuned.log_posteriors(x)[FORGET, y].mean()
