"""All that unlearnbench asks of a target model, with fewer epochs than by default: those would take minutes."""

from __future__ import annotations

import pytest
from unlearnbench import load_registry
from unlearnbench.testing import Check, contract, models

from unlearnbench_vision.resnet18 import ResNet18

NAMES = ("resnet18", "resnet50", "densenet121")
QUICK = ResNet18(epochs=1, batch_size=64, precision="bf16")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.name)
def test_every_model_keeps_the_contract(check: Check, name: str) -> None:
    assert check.findings(load_registry().get("model", name)) == []


@pytest.mark.slow
@pytest.mark.parametrize("check", models.CHECKS, ids=lambda check: check.name)
def test_resnet18_does_all_that_is_asked_of_a_model(check: Check) -> None:
    assert check.findings(contract.Subject(load_registry().get("model", "resnet18"), QUICK)) == []
