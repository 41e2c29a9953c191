"""Packs that are on their way to a worker, being done there, or on their way home."""

from __future__ import annotations

import hashlib
import pickle
from asyncio import CancelledError
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from unlearnbench.builtin.executors.dask.cluster import Cluster
from unlearnbench.builtin.executors.dask.remote import Answer
from unlearnbench.core.errors import describe_error

if TYPE_CHECKING:
    from distributed import Future

FETCH: Final = 60.0
"""Seconds in which an answer that a worker has must be here."""


@dataclass(eq=False)
class Flight:
    """A pack that one worker has."""

    worker: str
    share: Hashable
    """What its tasks share."""
    tasks: list[Any]
    """None but ``None`` for a handshake."""
    future: Future
    landed: bool = False
    """Whether the worker has answered, or was lost with it."""

    def answer(self) -> Answer | None:
        """Return what the worker answered; None where the pack was lost with it."""
        from distributed import KilledWorker

        try:
            answer: Answer = pickle.loads(self.future.result(timeout=FETCH))  # noqa: S301 - see remote.py
        except (KilledWorker, TimeoutError):
            return None
        except (Exception, CancelledError) as error:  # noqa: BLE001 - dask raises what the worker raised
            # A signal that stops the run may be raised here too: it must not be taken for an answer.
            if self.future.status != "error":  # it was called off, or the scheduler is gone
                return None
            return Answer(refusal=describe_error(error))
        return answer


class Flights:
    """All packs that workers have, in the order in which each got them."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._by_worker: dict[str, list[Flight]] = {}
        self._inbox: SimpleQueue[Flight] = SimpleQueue()
        self._sent = 0

    def of(self, worker: str) -> list[Flight]:
        """Return the packs that a worker has."""
        return self._by_worker.get(worker, [])

    def shares_of_others(self, worker: str) -> set[Hashable]:
        """Return what the packs of all other workers share."""
        return {each.share for name, some in self._by_worker.items() if name != worker for each in some}

    def send(self, pack: bytes, worker: str, share: Hashable, tasks: list[Any], gpu: bool) -> None:
        """Send a pack. Its key says content, worker and attempt: what is asked again by a retry is done once."""
        self._sent += 1
        key = hashlib.sha256(b"\0".join([worker.encode(), str(self._sent).encode(), pack])).hexdigest()
        future = self._cluster.submit(pack, worker, f"unlearnbench-{key}", gpu)
        flight = Flight(worker, share, tasks, future)
        self._by_worker.setdefault(worker, []).append(flight)
        future.add_done_callback(lambda _: self._land(flight))

    def _land(self, flight: Flight) -> None:
        flight.landed = True
        self._inbox.put(flight)

    def next_home(self, seconds: float) -> Flight | None:
        """Wait at most so long for a pack that has an end, and return it; None where there is none."""
        with suppress(Empty):
            flight = self._inbox.get(timeout=seconds)
            if flight in (some := self.of(flight.worker)):
                some.remove(flight)
                return flight
        return None

    def call_off(self, worker: str) -> tuple[Flight | None, list[Flight]]:
        """Forget the packs of a worker; return the one that it was doing, and the others."""
        flights = self._by_worker.pop(worker, [])
        doing = next((each for each in flights if not each.landed), None)
        for flight in flights:
            with suppress(Exception):  # the scheduler may be gone
                flight.future.cancel()
        return doing, [each for each in flights if each is not doing]

    def call_off_all(self) -> None:
        """Forget all packs. Workers stop those that they have begun."""
        for worker in [*self._by_worker]:
            self.call_off(worker)
