"""Packs grow to two seconds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.builtin.executors.dask.pace import LARGEST, SECONDS, Pace


def test_packs_grow_twofold_until_they_take_two_seconds() -> None:
    pace = Pace()
    sizes = []
    for _ in range(6):
        sizes.append(pace.most)
        pace.learn(pace.most, seconds=0.25 * pace.most)
    assert sizes == [1, 2, 4, 8, 8, 8]


def test_a_slow_pack_makes_the_next_ones_small_at_once() -> None:
    pace = Pace()
    for _ in range(5):
        pace.learn(pace.most, seconds=0.01)
    assert pace.most == 32
    pace.learn(32, seconds=320.0)
    assert pace.most == 1


@given(st.lists(st.floats(0, 100), max_size=30))
def test_a_pack_has_at_least_one_task_and_at_most_the_largest_number(seconds: list[float]) -> None:
    pace = Pace()
    for each in seconds:
        before = pace.most
        pace.learn(before, each)
        assert 1 <= pace.most <= min(LARGEST, 2 * before)
        assert pace.most == 1 or each / before * pace.most <= SECONDS
