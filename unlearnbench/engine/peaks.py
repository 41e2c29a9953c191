"""How much memory is held at the peak of a call, over what was held before it.

The kernel of Linux keeps the peak of a process and lets it be reset. What earlier calls have freed, the C library may
still hold: it is given back first, or the same call would take nothing the second time.
"""

from __future__ import annotations

import ctypes
import math
from functools import cache
from pathlib import Path
from typing import Final

_STATUS: Final = Path("/proc/self/status")
_CLEAR: Final = Path("/proc/self/clear_refs")
_RESET: Final = "5"
"""What the kernel is told to set the peak of this process to what it holds now."""
_NEAR: Final = 2**20
"""How many bytes the peak may differ from what is held, just after it was reset."""

_earlier: list[int] = [0]
"""The highest peak of those that were reset."""


class Meter:
    """Measures the peak of what is done from its start on. This one cannot: its peak is NaN."""

    def start(self) -> None:
        """Begin."""

    def peak(self) -> float:
        """Return the most bytes held since the start, over those at the start; NaN where that cannot be told."""
        return math.nan


class _ProcessMeter(Meter):
    """Measures the memory of this process."""

    def start(self) -> None:
        ctypes.CDLL(None).malloc_trim(0)
        _reset()
        self._before = _held("VmRSS")

    def peak(self) -> float:
        return float(max(_held("VmHWM") - self._before, 0))


class _CudaMeter(Meter):
    """Measures what torch allocates on the GPU."""

    def start(self) -> None:
        import torch

        torch.cuda.reset_peak_memory_stats()
        self._before = torch.cuda.memory_allocated()

    def peak(self) -> float:
        import torch

        return float(torch.cuda.max_memory_allocated() - self._before)


def meter_for(device: str) -> Meter:
    """Return what measures models that are trained on a device."""
    if device == "cuda":
        return _CudaMeter()
    return _ProcessMeter() if device == "cpu" and can_reset() else Meter()


@cache
def can_reset() -> bool:
    """Say whether the peak of this process can be reset: on Linux with the GNU C library."""
    try:
        _ = ctypes.CDLL(None).malloc_trim
        _reset()
        return _held("VmHWM") - _held("VmRSS") < _NEAR
    except (OSError, AttributeError, TypeError, StopIteration):
        return False


def highest_memory() -> int:
    """Return the most bytes that this process has ever held, on Linux, whatever was reset."""
    return max(*_earlier, _held("VmHWM"))


def _reset() -> None:
    _earlier[0] = highest_memory()
    _CLEAR.write_text(_RESET, encoding="ascii")


def _held(field: str) -> int:
    """Return a number of bytes that the kernel tells of this process."""
    lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))
