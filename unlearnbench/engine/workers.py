"""What holds in every process that does work: one thread, no second run of an unguarded script, no life of its own."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import platform
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

THREAD_VARIABLES: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
UNGUARDED: Final = 86
"""The exit code of a worker process that a script without a guard would have started a second run in."""
_PR_SET_PDEATHSIG: Final = 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep every numerical library to one thread while work is done.

    Thread counts change the order of sums and so the bits of results. Two workers with two threads each on two cores
    ran 20 times slower. Libraries that are loaded later read the environment; those loaded already are set directly.
    """
    from threadpoolctl import threadpool_limits

    for name in THREAD_VARIABLES:
        os.environ[name] = "1"
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
    with threadpool_limits(1):
        yield


def how_ended(code: int | None) -> str:
    """Say how a process with this exit code ended."""
    return f"was killed by {signal.Signals(-code).name}" if code and code < 0 else f"exited with {code}"


def exit_if_worker_is_starting() -> None:
    """End this process where it is a worker that still imports the user's script.

    A new worker imports the script that started it. If the script starts a run outside
    ``if __name__ == "__main__":``, each worker would start the run again. The exit code tells the parent why the
    worker ended.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # as multiprocessing itself asks
        raise SystemExit(UNGUARDED)


def die_with_parent() -> bool:
    """Have the kernel kill this process when the thread that started it ends; return whether the system can.

    Only Linux can. Elsewhere a thread of this process has to notice, which it cannot while other code holds the GIL.
    """
    if platform.system() != "Linux":
        return False
    return bool(ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0)
