"""The executor ``dask``: packs of tasks go to the workers of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unlearnbench.builtin.executors.dask.address import Address, read_address
from unlearnbench.builtin.executors.dask.cluster import Cluster
from unlearnbench.builtin.executors.dask.dispatch import Dispatch
from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import NO_LIMITS, Executor, Failure, Outcome, Task, Work
from unlearnbench.core.limits import Limits
from unlearnbench.engine.workers import exit_if_worker_is_starting


@dataclass(frozen=True)
class DaskExecutor(Executor):
    """Do tasks on the workers of a dask cluster, on this machine or on many.

    ``scheduler``: the address of a running scheduler, such as "tls://10.0.0.5:8786". Without one, and without a file, a
    cluster is started on this machine, and ended with the run.

    ``scheduler_file``: the file that ``dask scheduler --scheduler-file`` wrote, in place of the address.

    ``ca``: the file of the authority whose certificates are trusted; for an address with tls.

    ``cert``: the file of this machine's certificate.

    ``key``: the file of its key.

    ``insecure_network``: accept a scheduler on a network without encryption. Whoever reaches its port, or that of a
    worker, runs code as you on all these machines.

    ``workers``: how many workers to start, one thread each; of a cluster on this machine.

    ``dashboard``: serve the dashboard of a cluster on this machine, on the loopback interface, and print its address.

    ``patience``: how many seconds to wait for a worker while none is there that can do what is left.

    Each worker has one child process that does the tasks, and that is ended and replaced like those of ``processes``. A
    worker is used if what results depend on there is what it is here: versions, processor, plug-ins and data sets. If a
    worker is lost, what it did is done again elsewhere, in ever smaller packs.
    """

    scheduler: str = ""
    scheduler_file: str = ""
    ca: str = ""
    cert: str = ""
    key: str = ""
    insecure_network: bool = False
    workers: int = 2
    dashboard: bool = False
    patience: float = 15.0
    _cluster: list[Cluster] = field(default_factory=list, init=False, repr=False, compare=False)
    """The open connection, if there is one."""

    def __post_init__(self) -> None:
        if self.scheduler and self.scheduler_file:
            raise UserError("scheduler and scheduler_file name the same thing; give one of them")
        if self.workers < 1:
            raise UserError(f"workers: must be at least 1, got {self.workers}")
        if self.scheduler:
            self._address()  # UserError for a wrong one

    def run(
        self, work: Work[Task, Outcome], tasks: Sequence[Task], limits: Limits = NO_LIMITS
    ) -> Iterator[tuple[Task, Outcome | Failure]]:
        """Yield each task with its outcome as it comes home. UserError where no worker can do what is left."""
        exit_if_worker_is_starting()
        if tasks:
            yield from Dispatch(self._connected(), work, tasks, limits, self.patience).outcomes()

    def _connected(self) -> Cluster:
        if not self._cluster:
            self._cluster.append(self._connect())
        return self._cluster[0]

    def _connect(self) -> Cluster:
        if self.scheduler or self.scheduler_file:
            return Cluster.at(self._address())
        return Cluster.local(self.workers, self.dashboard)

    def _address(self) -> Address:
        address = read_address(Path(self.scheduler_file)) if self.scheduler_file else self.scheduler
        return Address(address, self.ca, self.cert, self.key, self.insecure_network)

    def close(self) -> None:
        """End the connection, and the cluster if it is an own one."""
        while self._cluster:
            self._cluster.pop().close()
