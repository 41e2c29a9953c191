from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.engine.gradients.case import NETWORK, batch_of, known, weights
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.builtin.unlearners.gradient.scrub import Scrub, ScrubRewind, error_rate
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.gradients.unlearner import has_module

FORGET = range(5)


@pytest.mark.parametrize("temperature", [1, 2, 4])
def test_the_distance_is_the_known_divergence(temperature: int) -> None:
    case = known("scrub_kl")
    batch = batch_of(case["student"], case["teacher"], [0, 1])
    distance = Scrub(temperature=temperature)._distance(batch).mean().item()
    assert distance == pytest.approx(case[f"T={temperature}"], rel=1e-5)


def test_passes_over_the_forget_set_come_first_and_only_in_the_first_epochs() -> None:
    (stage,) = Scrub(epochs=4, forget_epochs=2).stages(NETWORK.original())
    order = [(pass_.terms[0].over, pass_.terms[0].weight) for pass_ in stage.passes]
    assert order == [("forget", -1), ("retain", 1), ("forget", -1), ("retain", 1), ("retain", 1), ("retain", 1)]


def test_the_learning_rate_falls_after_each_milestone() -> None:
    (stage,) = Scrub(forget_epochs=0).stages(NETWORK.original())
    assert [pass_.rate for pass_ in stage.passes] == pytest.approx([1] * 5 + [0.1] * 3 + [0.01] + [0.001])


def test_without_forget_epochs_and_divergence_it_is_fine_tuning() -> None:
    method = Scrub(alpha=0.0, forget_epochs=0, epochs=2, milestones=(), batch_size=16, weight_decay=0.0)
    (stage,) = method.stages(NETWORK.original())

    class Same(Finetune):
        def stages(self, original: object) -> list[object]:  # type: ignore[override]  # for this test alone
            (own,) = super().stages(original)  # type: ignore[arg-type]  # as above
            return [replace(own, optimizer=stage.optimizer)]

    scrubbed, tuned = NETWORK.unlearn(method, FORGET)[0], NETWORK.unlearn(Same(epochs=2, batch_size=16), FORGET)[0]
    np.testing.assert_allclose(weights(scrubbed), weights(tuned), atol=1e-6)


def test_it_leaves_the_original_on_the_forget_set_more_than_on_the_retain_set() -> None:
    method = Scrub(alpha=1.0, gamma=0.0, forget_epochs=10, learning_rate=0.01, milestones=(), weight_decay=0.0)
    (after,) = NETWORK.unlearn(method, range(20))
    before = NETWORK.original().fitted.log_posteriors(NETWORK.records.x)
    distance = (np.exp(before) * (before - after.log_posteriors(NETWORK.records.x))).sum(axis=1)
    assert distance[:20].mean() > 2 * distance[20:60].mean()


def test_the_teacher_stays_as_it_was() -> None:
    (deletion,) = NETWORK.deletions(Scrub(), [FORGET])
    before = weights(deletion.fitted).copy()
    Scrub().unlearn(deletion)
    assert np.array_equal(weights(deletion.fitted), before)


def test_rewinding_takes_the_epoch_with_the_nearest_error_but_never_the_original() -> None:
    method = ScrubRewind(epochs=3)
    (deletion,) = NETWORK.deletions(method, [range(10)])
    original = deletion.original.share(np.arange(60, 90))
    fitted = has_module(deletion.fitted)
    others = NETWORK.unlearn(Scrub(learning_rate=0.1), range(8), range(20), range(30))
    networks = [fitted.module, *(has_module(each).module for each in others)]
    validation = TrainingSet.of(deletion.forget.records, range(60, 90))
    known_classes = validation.select(np.isin(validation.y, deletion.forget.y))
    for final in networks[1:]:
        wanted = error_rate(fitted.with_module(final), known_classes)
        gaps = [abs(error_rate(fitted.with_module(each), deletion.forget) - wanted) for each in networks]
        chosen = method.finish(final, networks, replace(deletion, original=original))
        nearest = int(np.argmin(gaps))
        assert chosen is (networks[nearest] if nearest else final)


def test_without_validation_records_the_final_network_stays() -> None:
    (deletion,) = NETWORK.deletions(ScrubRewind(), [FORGET])
    rewound, plain = ScrubRewind().unlearn(deletion), Scrub().unlearn(deletion)
    assert np.array_equal(weights(rewound), weights(plain))
