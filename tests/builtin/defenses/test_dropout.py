from __future__ import annotations

from unlearnbench.builtin.defenses.dropout import Dropout


def test_it_sets_the_training_option_of_its_share() -> None:
    options = Dropout(0.25).training()
    assert options.dropout == 0.25
    assert options.used == {"dropout"}
