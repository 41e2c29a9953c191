from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from unlearnbench.builtin.attacks.forgetting import Forgetting
from unlearnbench.core.observations import Needs, UndeclaredNeedError
from unlearnbench.testing.samples import SampleRows


@pytest.fixture
def one_row(make_rows: Callable[..., SampleRows]) -> SampleRows:
    return make_rows(np.array([[0.9, 0.1]]), np.array([[0.75, 0.25]]), label=np.array([1]))


def test_loss_is_minus_the_cross_entropy_after_deletion(one_row: SampleRows) -> None:
    attack = Forgetting(signal="loss")
    assert attack.score(one_row.view(attack.needs)) == pytest.approx([np.log(0.25)])


def test_confidence_is_the_largest_posterior_after_deletion(one_row: SampleRows) -> None:
    attack = Forgetting(signal="confidence")
    assert attack.score(one_row.view(attack.needs)) == pytest.approx([np.log(0.75)])


def test_only_the_loss_needs_the_label() -> None:
    assert Forgetting().needs == Needs(versions="unlearned", label=True)
    assert Forgetting(signal="confidence").needs == Needs(versions="unlearned", label=False)


@pytest.mark.parametrize("signal", ["loss", "confidence"])
def test_records_that_the_unlearned_model_still_remembers_score_high(
    signal: Literal["loss", "confidence"], make_game: Callable[..., SampleRows]
) -> None:
    attack, rows = Forgetting(signal=signal), make_game(0)
    remembered = np.where(rows.deleted[:, None], np.log(np.eye(4)[rows.label] * 0.96 + 0.01), rows.before)
    rows = replace(rows, after=remembered[:, None])
    assert roc_auc_score(rows.deleted, attack.score(rows.view(attack.needs))) > 0.9


def test_the_loss_without_the_label_is_stopped(one_row: SampleRows) -> None:
    with pytest.raises(UndeclaredNeedError, match="label"):
        Forgetting(signal="loss").score(one_row.view(Needs(versions="unlearned")))
