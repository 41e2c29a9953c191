from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from tests.builtin.unlearners.gradient.test_boundary import PIXELS
from tests.engine.gradients.case import weights
from unlearnbench.builtin.unlearners.gradient.amun import AMUN
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.gradients.bounds import Bounds
from unlearnbench.engine.gradients.jobs import Made, Tables, record_passes, steps
from unlearnbench.engine.gradients.unlearner import has_module
from unlearnbench.engine.unlearners import Deletion

FORGET = range(12)


def made(forget: Sequence[int] = FORGET) -> Made:
    (deletion,) = PIXELS.deletions(AMUN(), [forget])
    found = AMUN().made(deletion)
    assert found is not None
    return found


def alone() -> Iterator[tuple[int, Made]]:
    """Yield records with their examples; there is none where no change flips the class."""
    yield from ((i, found) for i in FORGET if len(found := made([i])))


def test_every_example_is_misclassified_by_the_original_and_has_the_class_that_it_gives() -> None:
    fitted, examples = has_module(PIXELS.original().fitted), [*alone()]
    assert len(examples) > 8
    for i, found in examples:
        assert torch.equal(fitted.module(found.inputs).argmax(dim=1), found.labels)
        assert found.labels.tolist() != [PIXELS.records.y[i]]


def test_examples_are_nearer_than_the_nearest_record_of_another_class() -> None:
    bounds, x = Bounds.of(has_module(PIXELS.original().fitted), PIXELS.records), PIXELS.records.x / 255
    for i, found in alone():
        distance = np.linalg.norm(bounds.levels(found.inputs).numpy() - x[[i]])
        others = x[PIXELS.records.y != PIXELS.records.y[i]]
        assert distance < np.linalg.norm(others - x[i], axis=1).min()


def test_forgotten_records_keep_their_labels_among_all_others_and_the_examples() -> None:
    (deletion,) = PIXELS.deletions(AMUN(epochs=1), [FORGET])
    job, examples = AMUN(epochs=1)._jobs([deletion])[0], len(made())
    read = sorted(int(i) for (batch,) in steps([job], 0, job.stages[0].passes[0]) for i in batch[0])
    assert read == [*range(60), *range(90, 90 + examples)]
    assert record_passes(job.stages, 48, 12, examples) == 60 + examples
    assert Tables([job]).y[:12].tolist() == PIXELS.records.y[FORGET].tolist()


def test_a_record_that_the_original_misclassifies_is_its_own_example() -> None:
    fitted = has_module(PIXELS.original().fitted)
    data = TrainingSet.of(PIXELS.records, range(90))
    wrong = np.flatnonzero(fitted.log_posteriors(data.x).argmax(axis=1) != data.y)[:1]
    assert len(wrong) == 1
    (deletion,) = PIXELS.deletions(AMUN(), [[1]])
    own = AMUN().made(replace(deletion, forget=TrainingSet.of(PIXELS.records, wrong)))
    assert own is not None
    torch.testing.assert_close(own.inputs, fitted.inputs(PIXELS.records.x[wrong]), atol=1e-5, rtol=1e-5)


def test_with_nothing_to_forget_it_is_fine_tuning() -> None:
    (plain,) = PIXELS.unlearn(Finetune(learning_rate=0.01, momentum=0.9, weight_decay=5e-4), [])
    (mine,) = PIXELS.unlearn(AMUN(), [])
    np.testing.assert_allclose(weights(mine), weights(plain), atol=1e-5)


def test_examples_lower_the_confidence_in_the_records_that_they_lie_beside() -> None:
    class Without(AMUN):
        def made(self, deletion: Deletion) -> None:
            return None

    (after,), (plain,) = (PIXELS.unlearn(kind(batch_size=100, epochs=60), FORGET) for kind in (AMUN, Without))
    x, y = PIXELS.records.x[FORGET], PIXELS.records.y[FORGET]
    assert after.log_posteriors(x)[FORGET, y].mean() < plain.log_posteriors(x)[FORGET, y].mean()
