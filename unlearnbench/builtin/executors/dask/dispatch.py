"""Gives packs of tasks to the workers of a cluster, and takes their outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from time import monotonic
from typing import Any, Final

from unlearnbench.builtin.executors.dask.cluster import Cluster
from unlearnbench.builtin.executors.dask.flights import Flight, Flights
from unlearnbench.builtin.executors.dask.pace import Pace
from unlearnbench.builtin.executors.dask.remote import Answer, Handshake, packed
from unlearnbench.builtin.executors.dask.suspects import Pack, Suspects
from unlearnbench.builtin.executors.dask.team import Team
from unlearnbench.builtin.executors.packs import Packs
from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Failure, Work
from unlearnbench.core.limits import Limits

WINDOW: Final = 2
"""How many packs a worker has: one that it does, and one that it need not wait for."""
LOOK: Final = 1.0
"""Seconds between two looks at who is there."""
HANDSHAKE: Final = Limits(timeout=600.0)
"""A worker loads its plug-ins and data sets before it answers."""

Done = tuple[Any, Any]
"""A task and its outcome."""


class Dispatch:
    """One call of the executor: all its tasks, until each has an outcome."""

    def __init__(
        self, cluster: Cluster, work: Work[Any, Any], tasks: Sequence[Any], limits: Limits, patience: float
    ) -> None:
        self._cluster = cluster
        self._work = work
        self._limits = limits
        self._patience = patience
        self._packs = Packs(tasks, work)
        self._suspects = Suspects()
        self._flights = Flights(cluster)
        self._team = Team(work.fingerprint())
        self._pace = Pace()
        self._left = Counter(map(self._needs_gpu, tasks))
        """How many tasks have no outcome yet, that need a GPU and that do not."""
        self._last: dict[str, Hashable] = {}
        """What the last pack of each worker shared."""
        self._looked = -LOOK
        self._served = {gpu: monotonic() for gpu in self._left}
        """When there last was a worker for the tasks that need a GPU, and for those that do not."""

    def outcomes(self) -> Iterator[Done]:
        """Yield each task with its outcome as it comes home. UserError where no worker can do what is left."""
        try:
            while self._left.total():
                yield from self._counted(self._look())
                self._hand_out()
                if flight := self._flights.next_home(LOOK):
                    yield from self._counted(self._took(flight, flight.answer()))
        finally:
            self._flights.call_off_all()

    def _counted(self, done: Iterable[Done]) -> Iterator[Done]:
        for task, outcome in done:
            self._left[self._needs_gpu(task)] -= 1
            yield task, outcome

    def _needs_gpu(self, task: Any) -> bool:
        return self._work.device(task) != "cpu"

    def _look(self) -> list[Done]:
        """See who is there; return the tasks that have failed because they took down workers."""
        if monotonic() < self._looked + LOOK:
            return []
        gone, new = self._team.update(self._cluster.workers())
        for worker in new:
            self._ask(worker)
        failed = [done for worker in gone for done in self._lost(worker)]
        self._check_that_somebody_can()
        self._looked = monotonic()
        return failed

    def _ask(self, worker: str) -> None:
        pack = packed(Handshake(self._work).portable([]), [None], HANDSHAKE)
        self._flights.send(pack, worker, None, [None], gpu=False)

    def _check_that_somebody_can(self) -> None:
        """Raise UserError where nobody has been there for some tasks for too long, or everybody is refused."""
        for gpu in (needed for needed, n in self._left.items() if n):
            if self._team.usable(gpu):
                self._served[gpu] = monotonic()
            elif monotonic() > self._served[gpu] + self._patience or self._team.all_refused:
                raise UserError(self._team.why_none(gpu))

    def _hand_out(self) -> None:
        """Fill the windows of all workers, so that each has one pack before any has two."""
        for room in range(1, WINDOW + 1):
            for worker in sorted(self._team.accepted):
                if len(self._flights.of(worker)) < room and (found := self._next_pack(worker)):
                    self._send(worker, *found)

    def _next_pack(self, worker: str) -> Pack | None:
        gpu = self._team.present[worker].gpu

        def fits(task: Any) -> bool:
            return gpu or not self._needs_gpu(task)

        others = self._flights.shares_of_others(worker)
        return self._suspects.take(fits) or self._packs.take(self._last.get(worker), others, self._pace.most, fits)

    def _send(self, worker: str, share: Hashable, tasks: list[Any]) -> None:
        self._last[worker] = share
        pack = packed(self._work.portable(tasks), tasks, self._limits)
        self._flights.send(pack, worker, share, tasks, self._needs_gpu(tasks[0]))

    def _took(self, flight: Flight, answer: Answer | None) -> list[Done]:
        """Take what a worker has answered, if it has; return the tasks that have an outcome."""
        if answer is None:
            return self._suspect(flight)
        if answer.refusal:
            self._refuse(flight, answer.refusal)
            return []
        if flight.tasks == [None]:
            self._judge(flight, answer.outcomes[0])
            return []
        self._pace.learn(len(flight.tasks), answer.seconds)
        for task in flight.tasks:
            self._packs.done(task)
        return [*zip(flight.tasks, answer.outcomes, strict=True)]

    def _judge(self, flight: Flight, outcome: Any) -> None:
        if isinstance(outcome, Failure):
            self._team.refuse(flight.worker, outcome.reason)
        else:
            self._team.judge(flight.worker, outcome)

    def _refuse(self, flight: Flight, why: str) -> None:
        self._team.refuse(flight.worker, why)
        doing, others = self._flights.call_off(flight.worker)
        self._put_back(flight, *others, *([doing] if doing else []))

    def _lost(self, worker: str) -> list[Done]:
        """Have what a lost worker had done again; the pack that it was doing may be why it was lost."""
        doing, others = self._flights.call_off(worker)
        self._put_back(*others)
        return self._suspect(doing) if doing else []

    def _suspect(self, flight: Flight) -> list[Done]:
        if flight.tasks == [None]:
            return []
        failed = self._suspects.add(flight.share, flight.tasks)
        for task, _ in failed:
            self._packs.done(task)
        return [*failed]

    def _put_back(self, *flights: Flight) -> None:
        for flight in flights:
            if flight.tasks != [None]:
                self._packs.put_back(flight.share, flight.tasks)
