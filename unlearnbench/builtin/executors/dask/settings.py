"""The settings of dask.distributed that this executor needs, and why."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from distributed import Client

SETTINGS: Final[dict[str, object]] = {
    "distributed.scheduler.allowed-failures": 3,
    "distributed.scheduler.work-stealing": False,  # the client says which worker does a pack
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.scheduler.unknown-task-duration": "2s",
    "distributed.scheduler.events-cleanup-delay": "1m",
    "distributed.worker.daemon": False,  # a daemon may not have the children that do the work
    "distributed.worker.profile.enabled": False,  # it samples all threads each 10 ms, and the dashboard shows them
    "distributed.worker.memory.target": False,  # what uses memory is the child, which has a limit of its own
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    "distributed.comm.retry.count": 3,
    "distributed.admin.large-graph-warning-threshold": "1GiB",  # a pack holds the episodes that its cells need
}
SILENT: Final = logging.CRITICAL + 1
"""The level of dask's loggers."""
LOGGERS: Final = ("distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application")
"""The loggers that dask gives a level."""


@contextmanager
def quiet_settings() -> Iterator[None]:
    """Have the settings from connecting to closing, without dask's own messages: the executor tells what is wrong.

    ImportError where dask.distributed is not installed.
    """
    import dask
    import distributed  # noqa: F401 - it loads the defaults that the settings replace

    found = {name: logging.getLogger(name).level for name in LOGGERS}
    dask_setup(None)
    try:
        with dask.config.set(SETTINGS):
            yield
    finally:
        for name, level in found.items():
            logging.getLogger(name).setLevel(level)


def dask_setup(_: object) -> None:
    """Silence dask in this process; dask itself calls this in each worker of an own cluster."""
    for name in LOGGERS:
        logging.getLogger(name).setLevel(SILENT)


def silence_loop(client: Client) -> None:
    """Have the event loop of a client say nothing of failed tasks that nobody asks, as a lost scheduler leaves them.

    asyncio would log each with a traceback when it is collected, which may be after the connection is closed.
    """
    client.loop.asyncio_loop.set_exception_handler(lambda _loop, _context: None)
