"""Finds the standard suites, which come with the package, by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from unlearnbench.core.errors import UserError, did_you_mean
from unlearnbench.core.messages import shown

SUFFIXES = (".yaml", ".yml")


def standard_suites() -> Mapping[str, Path]:
    """Return the standard suites by name, sorted. The name of a suite in a folder contains the folder: ``paper/e1``."""
    root = _root()
    files = sorted(root.rglob("*.yaml"))
    return {file.relative_to(root).with_suffix("").as_posix(): file for file in files}


def find_suite(name_or_path: Path | str) -> Path:
    """Return the file of a standard suite, or the path itself if it has the suffix of a suite file."""
    if Path(name_or_path).suffix in SUFFIXES:
        return Path(name_or_path)
    known, name = standard_suites(), str(name_or_path)
    if name not in known:
        hint = did_you_mean(name, known)
        raise UserError(f"unknown suite {shown(name)}{hint}; a suite of your own is a path ending in .yaml")
    return known[name]


def _root() -> Path:
    """Return the folder of the standard suites: beside this module if installed, in ``benchmarks/`` in a checkout."""
    installed = Path(__file__).parent / "standard"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "benchmarks" / "suites"
