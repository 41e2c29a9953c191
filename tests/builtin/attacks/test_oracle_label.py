from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from unlearnbench.builtin.attacks.oracle_label import OracleLabel
from unlearnbench.core.errors import UserError
from unlearnbench.testing.samples import SampleRows


def test_it_cannot_be_fitted(make_game: Callable[..., SampleRows]) -> None:
    attack = OracleLabel()
    with pytest.raises(UserError, match="a run computes its scores"):
        attack.fit(make_game(0).shadow(attack.needs), np.random.default_rng(0))


def test_it_cannot_score_since_no_attack_has_access_to_membership(make_game: Callable[..., SampleRows]) -> None:
    attack = OracleLabel()
    with pytest.raises(UserError, match="no attack has access to membership"):
        attack.score(make_game(0).view(attack.needs))
