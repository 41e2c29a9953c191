"""What takes down workers is found by halves, and an innocent task never fails with it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.builtin.executors.dask.suspects import TRIES, Suspects
from unlearnbench.core.executors import Failure


def everything(_: str) -> bool:
    return True


def test_a_pack_is_split_and_its_halves_come_in_their_order() -> None:
    suspects = Suspects()
    assert suspects.add("a", ["a1", "a2", "a3"]) == []
    assert suspects.take(everything) == ("a", ["a1", "a2"])
    assert suspects.take(everything) == ("a", ["a3"])
    assert suspects.take(everything) is None
    assert not suspects


def test_a_task_fails_when_it_was_alone_in_three_lost_workers() -> None:
    suspects, tasks = Suspects(), ["a1"]
    for _ in range(TRIES - 1):
        assert suspects.add("a", tasks) == []
        assert suspects.take(everything) == ("a", tasks)
    assert suspects.add("a", tasks) == [("a1", Failure("crashed", "3 workers were lost while they did it"))]
    assert not suspects


def test_what_does_not_fit_is_left_for_others() -> None:
    suspects = Suspects()
    suspects.add("a", ["gpu"])
    suspects.add("b", ["cpu"])
    assert suspects.take(lambda task: task == "cpu") == ("b", ["cpu"])
    assert suspects.take(lambda task: task == "cpu") is None
    assert suspects.take(everything) == ("a", ["gpu"])


@given(n=st.integers(1, 60), data=st.data())
def test_exactly_the_guilty_fail(n: int, data: st.DataObject) -> None:
    tasks = [f"task {number}" for number in range(n)]
    guilty = set(data.draw(st.lists(st.sampled_from(tasks), max_size=4)))
    suspects, done, losses = Suspects(), list[str](), 0
    failed = [task for task, _ in suspects.add("a", tasks)]
    while found := suspects.take(everything):
        if guilty.intersection(found[1]):
            losses += 1
            failed += [task for task, _ in suspects.add(*found)]
        else:
            done += found[1]
    assert set(failed) == guilty
    assert sorted(done) == sorted({*tasks} - guilty)
    assert losses <= len(guilty) * (n.bit_length() + TRIES)
