from __future__ import annotations

from unlearnbench.builtin.defenses.dp_sgd import DPTraining
from unlearnbench.core.options import DPSGD


def test_models_are_asked_to_train_with_its_parameters() -> None:
    options = DPTraining(noise_multiplier=2.0, clip=0.5, delta=1e-6).training()
    assert options.dp == DPSGD(2.0, 0.5, 1e-6)
    assert options.used == {"dp"}
