"""What runs in a child process: it does packs of tasks, and reports each outcome as soon as it is there."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Iterable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any, NamedTuple

from unlearnbench.builtin.executors.memory import peak_memory
from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Failure, Work
from unlearnbench.engine.workers import die_with_parent, one_thread


class Report(NamedTuple):
    """What a child says: once when it begins a pack, then after each task."""

    peak: int
    """Its peak memory in bytes so far; 0 where the system cannot say."""
    outcome: object = None
    """The outcome of a task, or an error that ends the run."""


def serve(pipe: Connection) -> None:
    """Do the packs that come through a pipe until it is closed. What plug-ins print goes to the error stream."""
    _end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its children
    with suppress(AttributeError):  # Windows has no process groups to end with the child what its plug-ins started
        os.setpgid(0, 0)
    os.dup2(2, 1)
    with one_thread(), suppress(EOFError, BrokenPipeError):
        _do_packs(pipe)


def _do_packs(pipe: Connection) -> None:
    """Take packs (pickled work, tasks); the work is kept as long as it stays the same."""
    loaded, work = b"", None
    while True:
        pickled, tasks = pipe.recv()
        if pickled != loaded:
            loaded, work = pickled, pickle.loads(pickled)  # noqa: S301 - of the process that started this one
        pipe.send(Report(_peak()))
        _do_pack(pipe, work, tasks)


def _do_pack(pipe: Connection, work: Any, tasks: Iterable[object]) -> None:
    for task in tasks:
        outcome = _done(work, task)
        try:
            message = ForkingPickler.dumps(Report(_peak(), outcome))
        except Exception as error:  # noqa: BLE001 - a plug-in's object may fail in any way when it is pickled
            reason = f"its result cannot leave its process: {type(error).__name__}"
            message = ForkingPickler.dumps(Report(_peak(), Failure("failed", reason)))
        pipe.send_bytes(message)


def _done(work: Work[Any, Any], task: object) -> object:
    try:
        return work(task)
    except UserError as error:  # not of the task: what the process needs is not there
        return UserError(str(error))
    except Exception as error:  # noqa: BLE001 - failures of tasks are values: this would meet every one of them
        return UserError(f"a worker process cannot work: {type(error).__name__}: {error}")


def _peak() -> int:
    with suppress(UserError):  # raised in the parent, if a limit is given
        return peak_memory()
    return 0


def _end_with_parent() -> None:
    """End this process with its parent, in the middle of a task if need be."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if not die_with_parent():
        threading.Thread(target=_wait_for_end_of, args=(parent,), daemon=True).start()
    elif os.getppid() != parent.pid:  # it ended before the kernel was asked
        os._exit(1)


def _wait_for_end_of(parent: Any) -> None:
    parent.join()
    os._exit(1)
