"""The attack's arithmetic on a case worked by hand, and all that unlearnbench asks of an attack."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from unlearnbench.testing import samples

from unlearnbench_relative_ratio.relative_ratio import RelativeRatio

pytest_plugins = ["unlearnbench.testing.pytest_plugin"]
unlearnbench_plugins = "unlearnbench-relative-ratio"


def test_conformance(conformance_check: Callable[[], None]) -> None:
    conformance_check()


def rows(ratios: list[float], deleted: list[bool]) -> samples.SampleRows:
    """Return rows whose true class, 0, has posterior 0.5 after and 0.5 times a ratio before."""
    before = 0.5 * np.asarray(ratios, dtype=float)
    after = np.full((len(before), 2), 0.5)
    label = np.zeros(len(before), dtype=np.int64)
    return samples.game_of(np.column_stack([before, 1 - before]), after, label, deleted)


def scores(attack: RelativeRatio, shadow: samples.SampleRows, target: samples.SampleRows) -> NDArray[np.float64]:
    fitted = attack.fit(shadow.shadow(attack.needs), np.random.default_rng(0))
    return fitted.score(target.view(attack.needs))


SHADOW = rows([0.8, 0.9, 1.0, 1.1, 1.9], [False, False, False, False, True])
TARGET = rows([0.5, 0.95, 1.5], [False] * 3)


def test_a_score_is_the_share_of_the_population_that_is_exceeded() -> None:
    assert scores(RelativeRatio(), SHADOW, TARGET) == pytest.approx([0, 0.5, 1])


def test_gamma_is_a_margin() -> None:
    assert scores(RelativeRatio(gamma=1.1), SHADOW, TARGET) == pytest.approx([0, 0.25, 1])


def test_deleted_shadow_rows_are_no_part_of_the_population() -> None:
    assert scores(RelativeRatio(), SHADOW, rows([1.5], [False])) == pytest.approx([1])


def test_deleted_records_rank_higher() -> None:
    target = samples.game(200, seed=2)
    found = scores(RelativeRatio(), samples.game(200, seed=1), target)
    assert found[target.deleted].mean() > found[~target.deleted].mean() + 0.3
