from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from unlearnbench.core.errors import UserError
from unlearnbench.engine.devices import Device, repeatable, resolve_device
from unlearnbench.engine.networks.training import TrainingLoop


def offer(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool) -> None:
    """Stand in for torch, which takes seconds to import and finds what this machine has."""
    found = SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: cuda),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps)),
    )
    monkeypatch.setitem(sys.modules, "torch", found)


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


def test_convolutions_are_repeatable_while_networks_train_and_settings_are_as_before_after_it() -> None:
    cudnn = torch.backends.cudnn
    before, during = cudnn.deterministic, []

    @repeatable()
    def train() -> None:
        during.append(cudnn.deterministic)
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        train()
    assert during == [True]
    assert cudnn.deterministic is before


def test_networks_are_trained_repeatably(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    step = torch.optim.Adam.step

    def watched(self: torch.optim.Adam) -> object:
        seen.append(torch.backends.cudnn.deterministic)
        return step(self)

    monkeypatch.setattr(torch.optim.Adam, "step", watched)
    module = torch.nn.Linear(2, 2)
    loop = TrainingLoop("adam", 0.1, 0.0, "fp32", False)
    loop.train(module, torch.zeros(3, 2), torch.tensor([0, 1, 1]), [(0, np.arange(3))])
    assert seen == [True]
