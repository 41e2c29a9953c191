from __future__ import annotations

import numpy as np
import pytest

from unlearnbench.builtin.attacks.oracle_label import OracleLabel
from unlearnbench.core.errors import UserError


def test_it_cannot_be_fitted_as_the_runner_makes_its_row(make_game):
    attack = OracleLabel()
    with pytest.raises(UserError, match="a run computes its scores"):
        attack.fit(make_game(0).shadow(attack.needs), np.random.default_rng(0))


def test_it_cannot_score_as_no_attack_is_given_membership(make_game):
    attack = OracleLabel()
    with pytest.raises(UserError, match="no attack has access to membership"):
        attack.score(make_game(0).view(attack.needs))
