"""What runs on a worker of the cluster: it supervises one child process that does packs, as on one machine.

A worker that runs one thread does one pack at a time. What it is sent and what it answers is pickled: whoever may send
work to a worker runs code there anyway, and both ends have certificates of one authority (decision 0033).
"""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from time import perf_counter
from typing import Any, Final, NamedTuple

from unlearnbench.builtin.executors.processes import ProcessExecutor
from unlearnbench.core.errors import UserError, describe_error
from unlearnbench.core.executors import Work
from unlearnbench.core.limits import Limits

_supervisor: Final = ProcessExecutor(1)
_working: Final = Lock()


class Answer(NamedTuple):
    """What a worker says about a pack."""

    outcomes: Sequence[Any] = ()
    """The outcome of each task, in their order; some are missing where nobody waits for the pack any more."""
    seconds: float = 0.0
    """How long the pack took."""
    refusal: str = ""
    """Why no task can be done on this worker, or empty."""


@dataclass(frozen=True)
class Handshake:
    """Work whose outcome is what the results of other work depend on where it is done; its one task is None."""

    work: Work[Any, Any]

    def __call__(self, _: None, /) -> Mapping[str, str]:
        """Return the fingerprint here."""
        return dict(self.work.fingerprint())

    def shared(self, _: None, /) -> Hashable:
        """Return None: there is one task."""
        return None

    def kernels(self, _: None, /) -> str:
        """Return "": nothing is compiled."""
        return ""

    def device(self, _: None, /) -> str:
        """Return "cpu": nothing is computed."""
        return "cpu"

    def portable(self, _: Sequence[None], /) -> Handshake:
        """Return the handshake about portable work."""
        return Handshake(self.work.portable([]))

    def fingerprint(self) -> Mapping[str, str]:
        """Return the fingerprint of the work."""
        return self.work.fingerprint()


def packed(work: Work[Any, Any], tasks: Sequence[Any], limits: Limits) -> bytes:
    """Return a pack as bytes."""
    return pickle.dumps((work, tasks, limits))


def do_pack(pack: bytes) -> bytes:
    """Do a pack in the child of this worker, and return the :class:`Answer`, pickled. Nothing is raised."""
    try:
        with _working:
            return pickle.dumps(_answer(*pickle.loads(pack)))  # noqa: S301 - see the top of this file
    except BaseException as error:  # noqa: BLE001 - what it is matters to the client, not to dask
        return pickle.dumps(Answer(refusal=describe_error(error)))


def _answer(work: Work[Any, Any], tasks: Sequence[Any], limits: Limits) -> Answer:
    if multiprocessing.current_process().daemon:
        raise UserError("it may not start processes; set DASK_DISTRIBUTED__WORKER__DAEMON=False for `dask worker`")
    start = perf_counter()
    done = {id(task): outcome for task, outcome in _supervisor.run_while(_waited_for(), work, tasks, limits)}
    return Answer([done[id(task)] for task in tasks if id(task) in done], perf_counter() - start)


def _waited_for() -> Callable[[], bool]:
    """Return what tells whether a client waits for this pack: it may have been called off, or have ended.

    The scheduler then tells the worker to forget the pack. dask itself would let it go on, perhaps for ever.
    """
    from distributed import get_worker

    worker = get_worker()
    pack = worker.state.tasks[worker.get_current_task()]
    return lambda: pack.state == "executing"


def end_child() -> None:
    """End the child of this worker, unless it does a pack."""
    if _working.acquire(blocking=False):
        try:
            _supervisor.close()
        finally:
            _working.release()
