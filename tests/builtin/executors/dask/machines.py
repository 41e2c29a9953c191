"""Schedulers and workers as users start them: processes of their own, by dask's commands."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.builtin.executors.dask.certificates import Certificates

PATIENCE = 240.0
"""Seconds: machines that run tests may be busy."""
NOTHING: Final[Mapping[str, str]] = {}


class Machines:
    """Processes of a cluster. Each leads a group of its own, which ends with it."""

    def __init__(self, folder: Path, path: Sequence[Path] = (), tls: Certificates | None = None) -> None:
        self.folder = folder
        self.file = folder / "scheduler.json"
        """The scheduler file."""
        self.tls = tls
        python_path = [str(Path(__file__).parents[4]), *map(str, path)]
        self._environment = {**os.environ, "PYTHONPATH": os.pathsep.join(python_path)}
        self.started: list[subprocess.Popen[bytes]] = []

    def scheduler(self, host: str = "127.0.0.1", environ: Mapping[str, str] = NOTHING) -> subprocess.Popen[bytes]:
        """Start a scheduler, and wait until it has told its address."""
        told = ["--host", host, "--port", "0", "--no-dashboard", "--scheduler-file", str(self.file)]
        started = self._start("scheduler", told, (), environ)
        wait_until(self.file.exists)
        return started

    def worker(
        self,
        *options: str,
        host: str = "127.0.0.1",
        within: Sequence[str] = (),
        nanny: bool = False,
        environ: Mapping[str, str] = NOTHING,
    ) -> subprocess.Popen[bytes]:
        """Start a worker; it may take some seconds until the scheduler knows it."""
        told = ["--scheduler-file", str(self.file), "--nthreads", "1", "--host", host, "--no-dashboard"]
        told += ["--local-directory", str(self.folder / f"scratch-{len(self.started)}")]
        return self._start("worker", [*told, *([] if nanny else ["--no-nanny"]), *options], within, environ)

    def _start(
        self, what: str, told: Sequence[str], within: Sequence[str], environ: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        if self.tls:
            told = [*told, "--protocol", "tls", "--tls-ca-file", self.tls.ca]
            told += ["--tls-cert", self.tls.cert, "--tls-key", self.tls.key]
        with (self.folder / f"{what}-{len(self.started)}.log").open("wb") as log:
            started = subprocess.Popen(  # noqa: S603 - our own
                [*within, sys.executable, "-m", "dask", what, *told],
                env={**self._environment, **environ},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started.append(started)
        return started

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a process and all of its group, at once."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end(self) -> None:
        """Kill all that was started."""
        for process in self.started:
            self.kill(process)


def wait_until(true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
