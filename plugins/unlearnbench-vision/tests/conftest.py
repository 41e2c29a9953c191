from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from unlearnbench import Records, Seeds
from unlearnbench.builtin.datasets.cifar10 import Cifar10
from unlearnbench.builtin.datasets.digits import Digits


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)  # as runs pin it; more threads would sum in another order


@pytest.fixture
def seeds() -> Seeds:
    return Seeds(init=11, order=22, noise=33)


@pytest.fixture(scope="session")
def digits() -> Records:
    """Return grey images of 8 x 8 pixels, which are enlarged."""
    records = Digits().load()
    return replace(records, x=records.x.reshape(-1, 8, 8), feature_names=())


@pytest.fixture(scope="session")
def photos(digits: Records) -> Records:
    """Return colour images: photographs where CIFAR-10 is at hand, else tinted digits."""
    cifar = Cifar10(version="first4000", size=200)
    if cifar.availability().available:
        return cifar.load()
    x = np.kron(digits.x[:200], np.ones((4, 4)))[..., None] * np.array([1.0, 0.5, 0.2])
    return replace(digits, x=x, y=digits.y[:200])
