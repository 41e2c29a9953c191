from __future__ import annotations

from unlearnbench.builtin.defenses.dropout import Dropout


def test_models_are_asked_to_leave_out_this_share() -> None:
    options = Dropout(0.25).training()
    assert options.dropout == 0.25
    assert options.used == {"dropout"}
