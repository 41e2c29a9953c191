"""Which device torch models run on. No other module names one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from unlearnbench.core.errors import UserError

Device = Literal["auto", "cpu", "cuda", "mps"]


def resolve_device(device: Device) -> str:
    """Return the device to use; ``auto`` takes a GPU where torch finds one.

    Raises :class:`UserError` where the named device is not there.
    """
    if device == "cpu":
        return device
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return next((name for name, there in available.items() if there), "cpu")
    if not available[device]:
        raise UserError(f'device "{device}" is not available on this machine; use "auto" or "cpu"')
    return device


@contextmanager
def repeatable() -> Iterator[None]:
    """Have convolutions on a GPU take algorithms that give the same bits each time. Elsewhere nothing changes."""
    import torch

    before = torch.backends.cudnn.deterministic
    torch.backends.cudnn.deterministic = True
    try:
        yield
    finally:
        torch.backends.cudnn.deterministic = before
