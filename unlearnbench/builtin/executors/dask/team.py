"""The workers of a cluster that may work for this run."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from unlearnbench.builtin.executors.dask.cluster import Worker

log = logging.getLogger(__name__)


class Team:
    """Which workers are there, and what came of the handshake with each.

    A handshake compares what results depend on there and here. A worker that differs is not used.
    """

    def __init__(self, fingerprint: Mapping[str, str]) -> None:
        self._fingerprint = fingerprint
        self.present: dict[str, Worker] = {}
        """The workers that are there, by address."""
        self.accepted: set[str] = set()
        """Those that have answered like this process."""
        self.refused: dict[str, str] = {}
        """Those that are there and are not used, with why."""

    def update(self, present: dict[str, Worker]) -> tuple[list[str], list[str]]:
        """Take note of who is there now; return who is gone, and who is new and must be asked."""
        gone, new = [*self.present.keys() - present.keys()], sorted(present.keys() - self.present.keys())
        self.present = present
        for worker in gone:
            self.accepted.discard(worker)
            self.refused.pop(worker, None)
        for worker in new:
            if (threads := present[worker].threads) != 1:
                self.refuse(worker, f"it has {threads} threads; start workers with --nthreads 1")
        return gone, [worker for worker in new if worker not in self.refused]

    def judge(self, worker: str, fingerprint: Mapping[str, str]) -> None:
        """Accept a worker if what results depend on is there what it is here."""
        if differences := [*self._differences(fingerprint)]:
            self.refuse(worker, "; ".join(differences))
        elif worker in self.present:
            self.accepted.add(worker)

    def _differences(self, there: Mapping[str, str]) -> Iterator[str]:
        for name in sorted(self._fingerprint.keys() | there.keys()):
            ours, theirs = self._fingerprint.get(name, "unknown"), there.get(name, "unknown")
            if ours != theirs:
                yield f"{name} is {theirs} there and {ours} here"

    def refuse(self, worker: str, why: str) -> None:
        """Use a worker no more."""
        if worker in self.present:
            self.accepted.discard(worker)
            self.refused[worker] = why
            log.warning("the worker %s is not used: %s", worker, why)

    def usable(self, gpu: bool) -> list[str]:
        """Return the workers, asked or accepted, that can do tasks that need a GPU, or that need none."""
        return [name for name, each in self.present.items() if name not in self.refused and each.gpu >= gpu]

    @property
    def all_refused(self) -> bool:
        """Whether there are workers, and none of them is used."""
        return bool(self.present) and self.present.keys() == self.refused.keys()

    def why_none(self, gpu: bool) -> str:
        """Return why there is no such worker."""
        if self.all_refused:
            worker, why = next(iter(self.refused.items()))
            return f"all {len(self.refused)} workers of the cluster differ from this process: {worker}: {why}"
        if gpu and self.present:
            return 'the suite needs a GPU, and no worker offers one: start workers with --resources "GPU=1"'
        return "the cluster has no worker; start some, for example: dask worker --nthreads 1 SCHEDULER"
