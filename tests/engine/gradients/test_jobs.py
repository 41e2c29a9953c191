"""Batches are drawn by keys; a job reads what its method declares."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.gradients.case import NETWORK
from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.core.originals import Original
from unlearnbench.engine.access import AccessError
from unlearnbench.engine.gradients.jobs import Job, Made, record_passes, steps
from unlearnbench.engine.gradients.passes import Optimizer, Over, Pass, Stage, Term
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.engine.unlearners import Deletion


class Sweep(GradientUnlearner):
    sees: ClassVar[tuple[str, ...] | None] = ("forget-set", "retain-set", "validation-set", "labels")

    def __init__(self, *passes: Pass) -> None:
        self.passes = passes

    def stages(self, original: Original) -> list[Stage]:
        return [Stage(Optimizer(0.1), self.passes)]


def job(*passes: Pass, forget: range = range(10), seed: int = 0) -> Job:
    method = Sweep(*passes)
    return method._jobs([NETWORK.deletions(method, [[]] * seed + [forget])[seed]])[0]


def batches(pass_: Pass, number: int = 0, seed: int = 0) -> list[tuple[list[int], ...]]:
    return [tuple(ids[0].tolist() for ids in step) for step in steps([job(pass_, seed=seed)], number, pass_)]


def flat(pass_: Pass, term: int = 0, **where: int) -> list[int]:
    return [int(i) for step in batches(pass_, **where) for i in step[term]]


RETAIN, FORGET = Term("retain", batch_size=16), Term("forget", batch_size=4)


@pytest.mark.parametrize(("over", "ids"), [("retain", range(10, 60)), ("forget", range(10)), ("both", range(60))])
def test_a_pass_reads_every_record_once_in_random_order(over: Over, ids: range) -> None:
    found = flat(Pass([Term(over, batch_size=16)]))
    assert sorted(found) == list(ids)
    assert found != list(ids)
    assert [len(step[0]) for step in batches(Pass([Term(over, batch_size=16)]))][:-1] == [16] * ((len(ids) - 1) // 16)


def test_each_pass_and_each_request_has_an_order_of_its_own() -> None:
    orders = [flat(Pass([RETAIN]), number=number, seed=seed) for number in (0, 1) for seed in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4
    assert orders[0] == flat(Pass([RETAIN]))


def test_jobs_are_shuffled_together_as_each_alone() -> None:
    pass_ = Pass([RETAIN, FORGET], cycles=2)
    jobs = [job(pass_, seed=seed) for seed in range(3)]
    for together, *alone in zip(steps(jobs, 1, pass_), *(steps([each], 1, pass_) for each in jobs), strict=True):
        for term, batches_ in enumerate(together):
            assert np.array_equal(batches_, np.concatenate([each[term] for each in alone]))


def test_a_further_term_is_cycled_beside_the_first_and_shuffled_anew() -> None:
    found = [step[1] for step in batches(Pass([Term("retain", batch_size=5), FORGET]))]
    assert [len(ids) for ids in found] == [4, 4, 2, 4, 4, 2, 4, 4, 2, 4]
    first, second = ([i for ids in found[k : k + 3] for i in ids] for k in (0, 3))
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


def test_a_further_term_may_take_part_in_some_steps_only_and_goes_on_where_it_was() -> None:
    often, rarely = (
        [step[1] for step in batches(Pass([Term("retain", batch_size=5), replace(FORGET, every=every)]))]
        for every in (1, 3)
    )
    assert [len(ids) for ids in rarely] == [4, 0, 0, 4, 0, 0, 2, 0, 0, 4]
    assert [rarely[k] for k in (0, 3, 6, 9)] == often[:4]


def test_a_pass_of_several_cycles_reads_every_record_as_often_in_a_new_order() -> None:
    once, thrice = flat(Pass([RETAIN])), flat(Pass([RETAIN], cycles=3))
    assert thrice[:50] == once
    assert sorted(thrice[50:100]) == sorted(thrice[100:]) == sorted(once)
    assert thrice[50:100] != once
    assert thrice[100:] not in (once, thrice[50:100])
    assert counted(Pass([RETAIN], cycles=3)) == 150


def test_beside_a_term_goes_a_batch_of_other_records_in_an_order_of_its_own() -> None:
    pair = Pass([Term("forget", batch_size=4, beside="retain"), Term("retain", batch_size=16)])
    found = batches(pair)
    assert [[len(ids) for ids in step] for step in found] == [[4, 16, 4], [4, 16, 4], [2, 16, 4]]
    assert set(flat(pair, 2)) <= set(range(10, 60))
    assert len(set(flat(pair, 2))) == 12
    assert found[0][2] != found[0][1][:4]
    assert flat(pair) == flat(Pass([FORGET]))
    assert counted(Pass([Term("forget", batch_size=5, beside="retain")])) == 10


@pytest.mark.parametrize(("part", "steps"), [(0.0, 0), (0.2, 2), (0.29, 2), (0.3, 3), (3.3 - 3, 3), (1.0, 10)])
def test_a_part_of_a_pass_is_its_first_steps(part: float, steps: int) -> None:
    """3.3 - 3 is a little less than .3."""
    whole = batches(Pass([Term("retain", batch_size=5)]))
    assert batches(Pass([Term("retain", batch_size=5)], part=part)) == whole[:steps]
    assert counted(Pass([Term("retain", batch_size=5)], part=part)) == 5 * steps


def test_a_pass_over_validation_records_reads_each_once() -> None:
    pass_ = Pass([Term("validation", batch_size=16)])
    method = Sweep(pass_)
    (deletion,) = replace(NETWORK, validation=20).deletions(method, [[1]])
    found = [int(i) for (ids,) in steps([method._jobs([deletion])[0]], 0, pass_) for i in ids[0]]
    assert sorted(found) == list(range(60, 80))
    assert method.record_passes(deletion) == pytest.approx(20 / (3 * 59))


def test_a_further_term_does_not_move_the_batches_of_the_first() -> None:
    assert flat(Pass([RETAIN])) == flat(Pass([RETAIN, FORGET]))


def test_a_share_is_one_sample_for_all_passes() -> None:
    share = Pass([Term("both", share=0.3)])
    found = [sorted(flat(share, number=number)) for number in (0, 1)]
    assert found[0] == found[1]
    assert len(found[0]) == 10 + 15
    assert set(range(10)) <= set(found[0])


def test_without_records_there_is_no_step() -> None:
    nothing = job(Pass([FORGET]), forget=range(0))
    assert list(steps([nothing], 0, Pass([FORGET]))) == []
    (first, *_) = steps([nothing], 0, Pass([RETAIN, FORGET]))
    assert first[1].size == 0


def test_record_passes_are_counted_with_repetitions() -> None:
    assert counted(Pass([RETAIN]), Pass([FORGET]), Pass([Term("both")])) == 50 + 10 + 60
    assert counted(Pass([Term("retain", batch_size=5), FORGET])) == 50 + 34
    method = Sweep(Pass([RETAIN]))
    assert method.record_passes(NETWORK.deletions(method, [range(10)])[0]) == pytest.approx(1 / 3)  # of three epochs


def counted(*passes: Pass, retain: int = 50, forget: int = 10) -> int:
    return record_passes([Stage(Optimizer(0.1), passes)], retain, forget)


TERMS = st.builds(
    Term,
    over=st.sampled_from(["retain", "forget", "both", "made"]),
    batch_size=st.integers(1, 40),
    share=st.sampled_from([1.0, 0.5, 0.1, 0.0]),
    with_made=st.booleans(),
)
FURTHER = st.builds(replace, TERMS, every=st.integers(1, 4))


@given(TERMS, st.lists(FURTHER, max_size=2), st.integers(0, 12), st.integers(0, 5), st.integers(0, 3))
def test_record_passes_are_those_of_the_steps_that_are_taken(
    first: Term, further: list[Term], forget: int, made: int, cycles: int
) -> None:
    pass_ = Pass([first, *further], cycles=cycles)
    own = replace(job(pass_, forget=range(forget)), made=Made(torch.zeros(made, 4), torch.zeros(made)))
    taken = sum(batch.size for step in steps([own], 0, pass_) for batch in step)
    stages = [Stage(Optimizer(0.1), [pass_])]
    assert record_passes(stages, retain=60 - forget, forget=forget, made=made) == taken


def test_what_an_edit_reads_is_added_to_what_is_trained() -> None:
    class Reads(Sweep):
        def records_read(self, deletion: Deletion) -> int:
            return 2 * len(deletion.forget)

    (deletion,) = NETWORK.deletions(Reads(Pass([RETAIN])), [range(10)])
    assert Reads(Pass([RETAIN])).record_passes(deletion) == pytest.approx((50 + 20) / (3 * 50))


def test_a_model_that_does_not_tell_its_epochs_has_no_record_passes() -> None:
    method = Sweep(Pass([RETAIN]))
    (deletion,) = NETWORK.deletions(method, [range(10)])
    nameless = replace(deletion, original=replace(deletion.original, model=DecisionTree()))
    assert np.isnan(method.record_passes(nameless))


class Declares(Sweep):
    def __init__(self, sees: tuple[str, ...], over: Over) -> None:
        super().__init__(Pass([Term(over)]))
        self.sees = sees  # type: ignore[misc]  # each has its own


@pytest.mark.parametrize(
    ("sees", "over", "named"),
    [
        (("forget-set", "labels"), "retain", "retain-set"),
        (("retain-set", "labels"), "forget", "forget-set"),
        (("retain-set", "labels"), "both", "forget-set"),
        (("retain-set",), "retain", "labels"),
        (("retain-set", "labels"), "validation", "validation-set"),
    ],
)
def test_to_read_what_is_not_declared_raises(sees: tuple[str, ...], over: Over, named: str) -> None:
    with pytest.raises(AccessError, match=f"Declares reads the {named}, which its `sees` does not declare"):
        NETWORK.unlearn(Declares(sees, over), [1, 2])


def test_an_edit_is_handed_sets_that_raise() -> None:
    class Peeks(GradientUnlearner):
        sees = ("forget-set",)

        def edit(self, module: object, deletion: object) -> None:
            assert len(deletion.forget.x) == 1  # type: ignore[attr-defined]  # a deletion
            len(deletion.retain)  # type: ignore[attr-defined]  # as above

    with pytest.raises(AccessError, match="retain-set"):
        NETWORK.unlearn(Peeks(), [3])


def test_what_is_declared_is_handed_over_with_its_rows() -> None:
    (deletion,) = NETWORK.deletions(Sweep(), [[1]])
    guarded, ids = deletion.guarded(Sweep().access), deletion.retain.kept_ids
    assert np.array_equal(guarded.retain.kept_ids, ids)
    assert np.array_equal(guarded.retain.records.x[ids], deletion.retain.records.x[ids])
    assert np.array_equal(guarded.forget.kept_ids, [1])
