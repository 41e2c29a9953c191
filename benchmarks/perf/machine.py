"""What is known of the machine: its name, the peak of one core, and how much memory the process took."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import subprocess
import time
from pathlib import Path

import numpy as np

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def pinned() -> bool:
    """Return whether every library is limited to one thread, which must be set before it is imported."""
    return all(os.environ.get(name) == "1" for name in THREADS)


def peak_flops(n: int = 1024, rounds: int = 5) -> float:
    """Return the single-precision operations per second of one core: the best of some products of n x n matrices."""
    a = np.ones((n, n), np.float32)
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - start)
    return float(2 * n**3 / min(times))


class Memory:
    """The most memory that the process held since ``reset``, above what it held then. Linux only."""

    def reset(self) -> None:
        """Reset the peak, and return unused memory to the system, so that using it again is counted."""
        gc.collect()
        if platform.system() == "Linux":
            trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl has not
            if trim:
                trim(0)
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
            self.before = self._kilobytes("VmRSS")

    def peak_mb(self) -> float | None:
        """Return the peak in megabytes, or None where the system does not tell."""
        if platform.system() != "Linux":
            return None
        return max(0.0, (self._kilobytes("VmHWM") - self.before) * 1024 / 1e6)

    def _kilobytes(self, field: str) -> int:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def description() -> str:
    """Name the processor, how many cores it shows, and its second-level cache, as far as the system tells."""
    if platform.system() != "Linux":
        return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    output = subprocess.run(["lscpu"], capture_output=True, text=True, check=True, env={"LC_ALL": "C"}).stdout  # noqa: S607
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in output.splitlines())}
    family = f"family {facts['CPU family']}, model {facts['Model']}" if "CPU family" in facts else facts["Architecture"]
    return f"{facts['Model name']} ({family}), {facts['CPU(s)']} cores, L2 cache {facts['L2 cache']}"
