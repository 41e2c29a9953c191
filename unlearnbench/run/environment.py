"""Where a result was made: what decides whether a re-run is bitwise equal, and one thread a worker."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version

from unlearnbench import __version__

LIBRARIES = ("numpy", "numba", "scipy", "scikit-learn", "lightgbm", "torch")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def fingerprint() -> dict[str, str]:
    """Return what results of one engine can depend on: processor, system, Python and library versions.

    Two runs with equal fingerprints give the same bits; otherwise they agree statistically only, since matrix
    products differ between processors and thread counts.
    """
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "threads": "1",
        "unlearnbench": __version__,
        **{name: _version(name) for name in LIBRARIES},
    }


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as lines:  # noqa: PTH123 - a kernel file, not a path of ours
            names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
            return next(names, platform.processor())
    except OSError:
        return platform.processor()


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep every numerical library to one thread while work is done.

    Thread counts change the order of sums and so the bits of results, and two workers with two threads each on two
    cores ran 20 times slower. Libraries loaded later read the environment; those loaded already are told directly.
    """
    from threadpoolctl import threadpool_limits

    for name in THREAD_VARIABLES:
        os.environ[name] = "1"
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
