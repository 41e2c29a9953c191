"""What a worker does next: tasks that share something, and the first with its kernels alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.builtin.executors.packs import MOST, Packs


@dataclass
class Letters:
    """Tasks such as ``a1`` share the letter; those with the same letter compile the same, those with "-" nothing."""

    def __call__(self, task: str) -> str:
        return task

    def shared(self, task: str) -> str | None:
        return None if task[0] == "-" else task[0]

    def kernels(self, task: str) -> str:
        return task[0].strip("-")

    def device(self, task: str) -> str:
        return "cpu"

    def portable(self, tasks: Sequence[str]) -> Letters:
        return self

    def fingerprint(self) -> dict[str, str]:
        return {}


class Plain(Letters):
    """The same without kernels."""

    def kernels(self, task: str) -> str:
        return ""


def test_tasks_that_share_nothing_come_one_by_one_in_their_order() -> None:
    packs = Packs(["-1", "-2", "-3"], Letters())
    assert [found[1] for _ in range(3) if (found := packs.take(None, ()))] == [["-1"], ["-2"], ["-3"]]
    assert packs.take(None, ()) is None
    assert not packs


def test_a_pack_is_what_is_left_of_one_share_up_to_a_limit() -> None:
    packs = Packs([f"a{n}" for n in range(MOST + 2)] + ["b1"], Plain())
    assert packs.take(None, ()) == ("a", [f"a{n}" for n in range(MOST)])
    assert packs.take(None, {"a"}) == ("b", ["b1"]), "another worker has that share"
    assert packs.take("a", ()) == ("a", [f"a{MOST}", f"a{MOST + 1}"])


def test_others_with_the_same_kernels_wait_until_the_first_is_done() -> None:
    packs = Packs(["a1", "a2", "b1", "-1"], Letters())
    assert packs.take(None, ()) == ("a", ["a1"])
    assert packs.take(None, ()) == ("b", ["b1"])
    assert packs.take(None, ()) == ((3,), ["-1"])
    packs.done("b1")
    assert packs.take(None, ()) is None
    packs.done("a1")
    assert packs.take(None, ()) == ("a", ["a2"])


def test_what_comes_back_is_next_of_its_share() -> None:
    packs = Packs([f"a{n}" for n in range(MOST + 1)], Plain())
    packs.take(None, ())
    packs.put_back("a", ["a3", "a4"])
    assert packs.take("a", ()) == ("a", ["a3", "a4", f"a{MOST}"])


@given(tasks=st.lists(st.text("ab-", min_size=1), max_size=40), workers=st.integers(1, 4), data=st.data())
def test_every_task_is_done_once_whatever_the_order_they_end_in_and_whichever_worker_ends(
    tasks: list[str], workers: int, data: st.DataObject
) -> None:
    packs = Packs(tasks, Letters())
    busy: dict[Any, list[str]] = {}
    done: list[str] = []
    while packs or busy:
        while len(busy) < workers and (found := packs.take(None, busy)) is not None:
            assert found[0] not in busy
            assert len({Letters().shared(task) for task in found[1]}) == 1
            busy[found[0]] = found[1]
        compiling = [task[0] for pack in busy.values() for task in pack if task[0] not in {t[0] for t in done} | {"-"}]
        assert len(compiling) == len(set(compiling))
        share = data.draw(st.sampled_from([*busy]))
        pack = busy.pop(share)
        ended = data.draw(st.integers(1, len(pack)))
        for task in pack[:ended]:
            packs.done(task)
        done += pack[:ended]
        packs.put_back(share, pack[ended:])
    assert sorted(done) == sorted(tasks)
