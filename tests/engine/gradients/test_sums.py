"""Gradients of sets of records are the same alone and among others, however the records are cut into blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.gradients.case import CONVOLUTIONAL, LINEAR, NETWORK, Case, gradient
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.gradients import sums
from unlearnbench.engine.gradients.sums import by_parameter, gradient_sum, gradient_sums, mean_gradient
from unlearnbench.engine.gradients.unlearner import has_module
from unlearnbench.engine.networks.modules import HasModule

ORIGINALS = {case: has_module(case.original().fitted) for case in (NETWORK, LINEAR, CONVOLUTIONAL)}
sets_of_ids = st.lists(st.lists(st.integers(0, 89), max_size=12), min_size=1, max_size=6)


@contextmanager
def blocks_of(size: int, features: int = 2**15) -> Iterator[None]:
    """Have so many records go through a network at once, and so many features be read at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "_BLOCK", size)
        patch.setattr(sums, "_NUMBERS", features)
        yield


def test_the_mean_gradient_is_that_of_the_mean_loss() -> None:
    found = mean_gradient(ORIGINALS[LINEAR], TrainingSet.of(LINEAR.records, range(20)))
    flat = np.concatenate([each.numpy().ravel() for each in found])
    np.testing.assert_allclose(flat, gradient(ORIGINALS[LINEAR], LINEAR.records, range(20)), atol=1e-6)


@settings(max_examples=50)
@given(case=st.sampled_from([*ORIGINALS]), ids=sets_of_ids, block=st.integers(1, 30))
def test_a_set_has_the_same_gradient_to_the_bit_alone_and_among_others(
    case: Case, ids: list[list[int]], block: int
) -> None:
    """Sets of no records, of equal ones, of a record twice, and of more than go through the network at once."""
    fitted, sets = ORIGINALS[case], [TrainingSet.of(case.records, each) for each in ids]
    with blocks_of(block):
        together = gradient_sums(fitted, sets)
        for row, data in zip(together, sets, strict=True):
            assert torch.equal(row, gradient_sums(fitted, [data])[0])
            assert all(map(torch.equal, by_parameter(fitted.module, row), gradient_sum(fitted, data)))


@settings(max_examples=30)
@given(case=st.sampled_from([*ORIGINALS]), ids=sets_of_ids, block=st.integers(1, 30))
def test_it_is_that_of_the_summed_loss_however_records_are_cut(case: Case, ids: list[list[int]], block: int) -> None:
    fitted, parameters = ORIGINALS[case], list(ORIGINALS[case].module.parameters())
    with blocks_of(block):
        found = gradient_sums(fitted, [TrainingSet.of(case.records, each) for each in ids])
    for row, own in zip(found, ids, strict=True):
        rows = np.array(own, dtype=np.int64)
        logits = fitted.module(fitted.inputs(case.records.x[rows]))
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(case.records.y[rows]), reduction="sum")
        wanted = torch.cat([each.flatten() for each in torch.autograd.grad(loss, parameters)])
        torch.testing.assert_close(row, wanted, atol=1e-4, rtol=1e-4)


@given(ids=sets_of_ids, block=st.integers(1, 30), features=st.integers(1, 200))
def test_no_more_records_than_allowed_are_read_at_once_and_each_once(
    ids: list[list[int]], block: int, features: int
) -> None:
    """Records have four features each; a block is read at once however many it has."""
    sets = {k: TrainingSet.of(NETWORK.records, each) for k, each in enumerate(ids)}
    with blocks_of(block, features):
        packs = list(sums._packs(sets))
    assert all(0 < sum(len(each.ids) for each in pack) <= max(block, features // 4) for pack in packs)
    assert all(len(each.ids) <= block for pack in packs for each in pack)
    read = [np.concatenate([np.empty(0, np.int64), *_of(packs, k)]).tolist() for k in range(len(ids))]
    assert read == ids


def _of(packs: list[list[sums.Block]], number: int) -> list[np.ndarray]:
    return [each.ids for pack in packs for each in pack if each.number == number]


def test_sets_of_the_same_records_are_gone_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    of_pack = sums._of_pack

    def counted(fitted: HasModule, pack: Sequence[sums.Block]) -> torch.Tensor:
        read.append(len(pack))
        return of_pack(fitted, pack)

    monkeypatch.setattr(sums, "_of_pack", counted)
    same, other = (TrainingSet.of(NETWORK.records, ids) for ids in ([1, 2], [2, 1]))
    rows = gradient_sums(ORIGINALS[NETWORK], [same, other, same])
    assert read == [2]
    assert torch.equal(rows[0], rows[2])
    torch.testing.assert_close(rows[0], rows[1])
