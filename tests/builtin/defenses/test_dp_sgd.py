from __future__ import annotations

import pytest

from unlearnbench.builtin.defenses.dp_sgd import DPTraining
from unlearnbench.core.errors import UserError
from unlearnbench.core.options import DPSGD


def test_it_sets_the_training_options_of_its_parameters() -> None:
    options = DPTraining(noise_multiplier=2.0, clip=0.5, delta=1e-6).training()
    assert options.dp == DPSGD(2.0, 0.5, 1e-6)
    assert options.used == {"dp"}


def test_without_the_accountant_nothing_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unlearnbench.builtin.defenses.dp_sgd.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'pip install "unlearnbench\[dp\]"'):
        DPTraining().training()
