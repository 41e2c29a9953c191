from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.engine.devices import Device, resolve_device


def offer(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool) -> None:
    """Stand in for torch, which takes seconds to import and finds what this machine has."""
    torch = SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: cuda),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps)),
    )
    monkeypatch.setitem(sys.modules, "torch", torch)


@pytest.mark.parametrize(
    ("cuda", "mps", "found"),
    [(False, False, "cpu"), (True, False, "cuda"), (False, True, "mps"), (True, True, "cuda")],
)
def test_auto_takes_a_gpu_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, found: str
) -> None:
    offer(monkeypatch, cuda, mps)
    assert resolve_device("auto") == found


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_named_gpu_must_be_there(monkeypatch: pytest.MonkeyPatch, device: Device) -> None:
    offer(monkeypatch, cuda=False, mps=False)
    with pytest.raises(UserError, match=f'device "{device}" is not available'):
        resolve_device(device)
    offer(monkeypatch, cuda=True, mps=True)
    assert resolve_device(device) == device


def test_the_cpu_is_taken_without_importing_torch() -> None:
    code = (
        "import sys; from unlearnbench.engine.devices import resolve_device; "
        "print(resolve_device('cpu'), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout == "cpu False\n"
