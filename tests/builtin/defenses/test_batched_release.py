from __future__ import annotations

import numpy as np

from unlearnbench.builtin.defenses.batched_release import BatchedRelease
from unlearnbench.core.records import Step
from unlearnbench.core.scenarios import Request


def request(*forget: int, add: tuple[int, ...] = ()) -> Request:
    return Request((Step(np.array(forget), np.array(add, dtype=np.int64)),))


def test_requests_are_served_together_and_the_last_batch_may_be_smaller() -> None:
    served = BatchedRelease(2).schedule([request(4), request(7, 8, add=(1,)), request(5)])
    assert [each.forgotten.tolist() for each in served] == [[4, 7, 8], [5]]
    assert [each.added.tolist() for each in served] == [[1], []]


def test_chains_are_batched_version_by_version() -> None:
    chains = [Request((Step(np.array([i])), Step(np.array([10 + i])))) for i in range(2)]
    (served,) = BatchedRelease(2).schedule(chains)
    assert [step.forget.tolist() for step in served.steps] == [[0, 1], [10, 11]]
