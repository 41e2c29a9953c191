"""A cluster without processes: workers answer at once, or are lost, as a test says."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from unlearnbench.builtin.executors.dask.cluster import Cluster, Worker
from unlearnbench.builtin.executors.dask.dispatch import Dispatch
from unlearnbench.builtin.executors.dask.remote import Answer, Handshake
from unlearnbench.core.limits import Limits

Task = tuple[str, str, int]
"""What it shares, what it does, and a number."""


@dataclass
class Numbers:
    """Work that returns the number of a task. ``place`` is what its results depend on."""

    place: str = "here"
    carried: tuple[int, ...] = ()

    def __call__(self, task: Task) -> int:
        return task[2]

    def shared(self, task: Task) -> Hashable:
        return task[0]

    def kernels(self, task: Task) -> str:
        return ""

    def device(self, task: Task) -> str:
        return "cuda" if task[1] == "gpu" else "cpu"

    def portable(self, tasks: Sequence[Task]) -> Numbers:
        return Numbers(self.place, tuple(task[2] for task in tasks))

    def fingerprint(self) -> dict[str, str]:
        return {"place": self.place, "version": "1"}


@dataclass
class FakeFuture:
    content: bytes | None
    """None if the worker is lost before it answers."""
    status: str = "pending"

    def add_done_callback(self, told: Callable[[FakeFuture], object]) -> None:
        if self.content is not None:
            self.status = "finished"
            told(self)

    def result(self, timeout: float) -> bytes:
        assert self.content is not None
        return self.content

    def cancel(self) -> None:
        self.status = "cancelled"


@dataclass
class FakeCluster(Cluster):
    """Workers by name; what each does with a pack is up to ``answer``."""

    present: dict[str, Worker]
    answer: Callable[[FakeCluster, str, list[Task]], Answer | None]
    places: dict[str, str] = field(default_factory=dict)
    """What results depend on at workers that are not like here."""
    packs: list[tuple[str, list[Task]]] = field(default_factory=list)
    """All packs, with who had them."""
    asked: list[str] = field(default_factory=list)
    """All workers that were asked who they are."""

    def __post_init__(self) -> None:
        self._opened = ExitStack()

    def workers(self) -> dict[str, Worker]:
        return dict(self.present)

    def submit(self, pack: bytes, worker: str, key: str, gpu: bool) -> Any:
        work, tasks, _ = pickle.loads(pack)  # noqa: S301 - made by this process
        if worker not in self.present:  # it was lost since it was seen
            return FakeFuture(None)
        if isinstance(work, Handshake):
            self.asked.append(worker)
            told = {**work.fingerprint(), "place": self.places.get(worker, "here")}
            return FakeFuture(pickle.dumps(Answer([told], 0.1)))
        assert work.carried == tuple(task[2] for task in tasks), "work is made portable for its pack"
        assert gpu == any(task[1] == "gpu" for task in tasks)
        assert self.present[worker].gpu or not gpu
        self.packs.append((worker, tasks))
        answer = self.answer(self, worker, tasks)
        return FakeFuture(None if answer is None else pickle.dumps(answer))


def right(tasks: Sequence[Task]) -> Answer:
    """Return what a sound worker answers."""
    return Answer([Numbers()(task) for task in tasks], 0.1 * len(tasks))


def outcomes(cluster: Cluster, tasks: Sequence[Task], patience: float = 0.2) -> dict[Task, object]:
    """Return what becomes of each task; each has one outcome."""
    done = list(Dispatch(cluster, Numbers(), tasks, Limits(), patience).outcomes())
    assert sorted(task for task, _ in done) == sorted(tasks)
    return dict(done)
