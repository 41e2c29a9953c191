"""What the conformance kit cannot know about the built-in attacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from unlearnbench.builtin.attacks.classical import Classical
from unlearnbench.builtin.attacks.direct_concat import DirectConcat
from unlearnbench.builtin.attacks.direct_diff import DirectDiff
from unlearnbench.builtin.attacks.euclidean import Euclidean
from unlearnbench.builtin.attacks.forgetting import Forgetting
from unlearnbench.builtin.attacks.score_diff import ScoreDiff
from unlearnbench.builtin.attacks.score_ratio import ScoreRatio
from unlearnbench.builtin.attacks.sorted_diff import SortedDiff
from unlearnbench.core.attacks import Attack
from unlearnbench.testing.samples import SampleRows


@pytest.mark.parametrize("attack", [DirectDiff(), SortedDiff(), Euclidean(), ScoreDiff(), ScoreRatio()], ids=repr)
def test_if_nothing_changed_all_rows_score_the_same(attack: Attack, make_game: Callable[..., SampleRows]) -> None:
    rows = make_game(1, n=40)
    still = replace(rows, after=rows.before[:, None])
    fitted = attack.fit(still.shadow(attack.needs), np.random.default_rng(0))
    assert len(np.unique(fitted.score(still.view(attack.needs)))) == 1


@pytest.mark.parametrize(
    ("attack", "wrong"),
    [
        (DirectConcat, {"model": "svm"}),
        (SortedDiff, {"sort_by": "label"}),
        (ScoreRatio, {"c": 0}),
        (Forgetting, {"signal": "margin"}),
        (Classical, {"model": 3}),
    ],
)
def test_a_wrong_parameter_is_rejected(attack: type[Any], wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(attack).validate_python(wrong)
