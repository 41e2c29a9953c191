"""A method may train on records that it makes, beside those of the data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import LINEAR, NETWORK, weights
from tests.engine.gradients.test_train import Method
from unlearnbench.core.originals import Original
from unlearnbench.engine.access import AccessError
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.jobs import Job, Made, record_passes, steps
from unlearnbench.engine.gradients.passes import Optimizer, Over, Pass, Stage, Term, cross_entropy
from unlearnbench.engine.gradients.stack import stackable
from unlearnbench.engine.gradients.unlearner import has_module
from unlearnbench.engine.unlearners import Deletion

FORGET = [2, 3]


class Makes(Method):
    """Trains on copies of the forget set whose label is 0."""

    def made(self, deletion: Deletion) -> Made:
        fitted = has_module(deletion.fitted)
        return Made(fitted.inputs(deletion.forget.x), torch.zeros(len(deletion.forget), dtype=torch.int64))


def one(term: Term, rate: float = 0.5) -> Makes:
    return Makes(Stage(Optimizer(rate), [Pass([term])]))


def job(term: Term, forget: Sequence[int] = FORGET) -> Job:
    method = one(term)
    return method._jobs([NETWORK.deletions(method, [forget])[0]])[0]


@pytest.mark.parametrize(
    ("over", "with_made", "ids"),
    [
        ("made", False, [90, 91]),
        ("made", True, [90, 91]),
        ("forget", True, [2, 3, 90, 91]),
        ("retain", True, [0, 1, *range(4, 60), 90, 91]),
        ("both", True, [*range(60), 90, 91]),
        ("both", False, [*range(60)]),
    ],
)
def test_made_records_have_the_ids_after_those_of_the_data_set(over: Over, with_made: bool, ids: list[int]) -> None:
    made = job(Term(over, with_made=with_made, batch_size=7))
    found = [int(i) for (batch,) in steps([made], 0, made.stages[0].passes[0]) for i in batch[0]]
    assert sorted(found) == ids
    assert record_passes(made.stages, 58, 2, made=2) == len(ids)


def test_they_are_trained_on_with_the_labels_that_the_method_gives_them() -> None:
    """A step on the copies is a step on the forget set with other labels."""

    def zeros(batch: Batch) -> torch.Tensor:
        return batch.cross_entropy(torch.zeros(len(batch.logits), dtype=torch.int64))

    (made,), (relabelled,) = (
        LINEAR.unlearn(one(Term("made")), FORGET),
        LINEAR.unlearn(one(Term("forget", zeros)), FORGET),
    )
    np.testing.assert_allclose(weights(made), weights(relabelled), atol=1e-7)


def test_they_are_not_of_the_forget_set_and_the_original_answers_to_them() -> None:
    seen: list[tuple[list[bool], torch.Tensor]] = []

    def look(batch: Batch) -> torch.Tensor:
        seen.append((batch.forgotten.tolist(), batch.original))
        return cross_entropy(batch)

    LINEAR.unlearn(one(Term("made", look)), FORGET)
    LINEAR.unlearn(one(Term("forget", look)), FORGET)
    (of_made, answers), (of_forget, same) = seen
    assert of_made == [False, False]
    assert of_forget == [True, True]
    torch.testing.assert_close(answers.sort(dim=0).values, same.sort(dim=0).values)


def test_without_them_a_term_has_no_records() -> None:
    nothing = Method(Stage(Optimizer(0.5), [Pass([Term("made")])]))
    (deletion,) = NETWORK.deletions(nothing, [FORGET])
    assert nothing.unlearn(deletion) is deletion.fitted


def test_deletions_with_made_records_are_served_one_by_one_and_do_not_depend_on_each_other() -> None:
    assert not stackable(job(Term("made")))
    method = one(Term("both", with_made=True))
    deletions = NETWORK.deletions(method, [FORGET, [5, 6], [7]])
    together = method.unlearn_all(deletions)
    assert all(
        np.array_equal(weights(mine), weights(method.unlearn(each)))
        for mine, each in zip(together, deletions, strict=True)
    )


def test_records_are_made_of_what_the_method_declares() -> None:
    class Peeks(Makes):
        sees = ("forget-set",)

        def made(self, deletion: Deletion) -> Any:
            return len(deletion.retain)

    class Blind(Makes):
        sees = ("retain-set",)

        def stages(self, original: Original) -> Sequence[Stage]:
            return ()

    for method, named in ((Peeks(), "retain-set"), (Blind(), "forget-set")):
        with pytest.raises(AccessError, match=named):
            NETWORK.unlearn(method, FORGET)
