"""The connection to a cluster: to one that exists, or to one of this process's own on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from unlearnbench.builtin.executors.dask import settings
from unlearnbench.builtin.executors.dask.address import Address
from unlearnbench.builtin.executors.dask.remote import do_pack, end_child
from unlearnbench.builtin.executors.dask.settings import SILENT, quiet_settings, silence_loop
from unlearnbench.core.errors import UserError, describe_error

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT: Final = 10.0
"""Seconds in which a scheduler must answer."""
GPU: Final = "GPU"
"""The resource that workers with a GPU offer."""


@dataclass(frozen=True)
class Worker:
    """What a worker says about itself."""

    threads: int
    gpu: bool


class Cluster:
    """A connected client, and the cluster if it is this process's own."""

    def __init__(self, client: Client, opened: ExitStack) -> None:
        self._client = client
        self._opened = opened
        silence_loop(client)

    @classmethod
    def at(cls, address: Address) -> Cluster:
        """Connect to a scheduler; UserError where there is none, or where it does not accept the certificates."""
        with _opening(f"cannot connect to the scheduler at {address.scheduler}") as opened:
            from distributed import Client

            made = Client(address.scheduler, timeout=CONNECT, security=address.security(), set_as_default=False)
            client = opened.enter_context(made)
            opened.callback(_end_children, client)
            return cls(client, opened.pop_all())

    @classmethod
    def local(cls, workers: int, dashboard: bool) -> Cluster:
        """Start a cluster on this machine: on the loopback interface, encrypted, so that no other user can use it."""
        with _opening("cannot start a cluster on this machine") as opened:
            from distributed import Client, LocalCluster, Security

            started = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",  # None would be port 8787 on all interfaces
                security=Security.temporary(),
                silence_logs=SILENT,
                preload=[settings.__name__],
            )
            own = opened.enter_context(started)
            client = opened.enter_context(Client(own, set_as_default=False))
            if dashboard:
                sys.stderr.write(f"dashboard of the cluster: {own.dashboard_link}\n")
            return cls(client, opened.pop_all())

    def workers(self) -> dict[str, Worker]:
        """Return the workers that are there now, by address; UserError where the scheduler is gone."""
        try:
            found: dict[str, Any] = self._client.scheduler_info()["workers"]
        except Exception as error:
            raise _gone() from error
        if self._client.status != "running":
            raise _gone()
        return {each: Worker(told["nthreads"], told["resources"].get(GPU, 0) > 0) for each, told in found.items()}

    def submit(self, pack: bytes, worker: str, key: str, gpu: bool) -> Future:
        """Have one worker do a pack."""
        return self._client.submit(
            do_pack,
            pack,
            key=key,
            pure=False,
            workers=[worker],
            allow_other_workers=False,
            resources={GPU: 1} if gpu else None,
        )

    def close(self) -> None:
        """End the connection, and an own cluster."""
        self._opened.close()


@contextmanager
def _opening(failure: str) -> Iterator[ExitStack]:
    """Yield what closes all that was opened, unless it is popped; UserError with this text where opening fails."""
    with ExitStack() as opened:
        try:
            opened.enter_context(quiet_settings())
            yield opened
        except ImportError as error:
            raise UserError(f'{failure}: {error.name} is missing: pip install "unlearnbench[cluster]"') from None
        except (OSError, ValueError, RuntimeError) as error:
            raise UserError(f"{failure}: {describe_error(error)}") from None


def _end_children(client: Client) -> None:
    with suppress(Exception):  # the cluster may be gone
        client.run(end_child, on_error="ignore")


def _gone() -> UserError:
    return UserError("the scheduler is gone; what is done is stored, and the same command goes on from there")
