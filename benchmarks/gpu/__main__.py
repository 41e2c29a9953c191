"""Measure on a GPU what only a GPU can show, and write a page of it.

    PYTHONPATH=.:benchmarks:plugins/unlearnbench-vision/src python -m gpu

The page is written after each case, so that a run that is cut off leaves what it has measured.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from gpu import engines, resnet, stacks, unlearners
from gpu.page import page
from gpu.parts import Outcome, Part, measured
from gpu.setting import SIZES, Setting
from unlearnbench.core.errors import UserError
from unlearnbench.engine.devices import resolve_device

PARTS = {part.name: part for module in (engines, stacks, unlearners, resnet) for part in module.PARTS}


def measure(parts: Sequence[Part], setting: Setting, size: str, minutes: float, file: Path) -> list[Outcome]:
    """Measure parts and write the page."""
    outcomes: list[Outcome] = []
    end = time.monotonic() + 60 * minutes
    for part in parts:
        for outcome in measured(part, setting, end):
            file.write_text(page([*outcomes, outcome], setting.device, size), encoding="utf-8")
        outcomes.append(outcome)
    return outcomes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program as a command line asks for it: 0, 1 where a case failed, 2 where the device is missing."""
    given = _parser().parse_args(arguments)
    try:
        device = resolve_device(given.device)
        file = _file(given.out)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    setting = Setting(device, SIZES[given.size], real_photos=given.size == "full")
    outcomes = measure([PARTS[name] for name in given.only], setting, given.size, given.minutes, file)
    sys.stdout.write(f"{file}\n")
    return int(any(outcome.failed for outcome in outcomes))


def _file(folder: Path) -> Path:
    """Return where the page goes, in a folder that is made; UserError where it cannot be written."""
    file = folder / "gpu.md"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.touch()
    except OSError as error:
        raise UserError(f"--out: cannot be written: {error.strerror}", where=str(file)) from error
    return file


def _minutes(text: str) -> float:
    if not 0 < (minutes := float(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"must be a positive number, got {text}")
    return minutes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gpu", description="Compare engines on a GPU and on the CPU.")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu is a dry run")
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--minutes", type=_minutes, default=7.0, help="no case starts later than this")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=list(PARTS), help="parts to measure")
    parser.add_argument("--out", type=Path, default=Path("gpu-report"), help="the folder of the page")
    return parser


if __name__ == "__main__":
    sys.exit(main())
