"""The environment of a run: what decides whether a re-run is equal to the bit."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

import unlearnbench
from unlearnbench import __version__

LIBRARIES = ("numpy", "numba", "scipy", "scikit-learn", "lightgbm", "torch")
NAMES = ("python", "system", "processor", "threads", "unlearnbench", *LIBRARIES)
"""What a fingerprint tells."""


def fingerprint() -> dict[str, str]:
    """Return what the results of one engine can depend on: processor, system, Python and library versions.

    Two runs with equal fingerprints give the same bits. Other runs agree only statistically, because matrix products
    differ between processors and thread counts.
    """
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "threads": "1",
        "unlearnbench": __version__,
        **{name: _version(name) for name in LIBRARIES},
    }


@cache
def instructions() -> str:
    """Return the vector instructions that are there: a virtual machine may hide some of its processor's."""
    told = np.show_config(mode="dicts")
    return " ".join(told["SIMD Extensions"].get("found", ())) if told else ""


@cache
def package_sha256() -> str:
    """Return the start of the sha256 of this package's code: a checkout may have changed since its version."""
    root, digest = Path(unlearnbench.__file__).parent, hashlib.sha256()
    for file in sorted(root.rglob("*.py")):
        code = file.read_bytes()
        digest.update(f"{file.relative_to(root).as_posix()}\0{len(code)}\0".encode() + code)
    return digest.hexdigest()[:16]


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
