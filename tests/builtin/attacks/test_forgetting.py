from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from unlearnbench.builtin.attacks.forgetting import Forgetting, Signal
from unlearnbench.core.observations import Needs, UndeclaredNeedError
from unlearnbench.hooks.registry import load_registry
from unlearnbench.testing.attacks import CHECKS
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.samples import SampleRows

SIGNALS: tuple[Signal, ...] = get_args(Signal)


@pytest.fixture
def one_row(make_rows: Callable[..., SampleRows]) -> SampleRows:
    return make_rows(np.array([[0.9, 0.1]]), np.array([[0.75, 0.25]]), label=np.array([1]))


def test_loss_is_minus_the_cross_entropy_after_deletion(one_row: SampleRows) -> None:
    attack = Forgetting(signal="loss")
    assert attack.score(one_row.view(attack.needs)) == pytest.approx([np.log(0.25)])


def test_confidence_is_the_largest_posterior_after_deletion(one_row: SampleRows) -> None:
    attack = Forgetting(signal="confidence")
    assert attack.score(one_row.view(attack.needs)) == pytest.approx([np.log(0.75)])


def test_entropies_are_those_after_deletion_and_higher_where_the_model_is_certain(one_row: SampleRows) -> None:
    plain, modified = Forgetting(signal="entropy"), Forgetting(signal="modified-entropy")
    entropy = -0.75 * np.log(0.75) - 0.25 * np.log(0.25)
    assert plain.score(one_row.view(plain.needs)) == pytest.approx([-entropy], rel=1e-12)
    assert modified.score(one_row.view(modified.needs)) == pytest.approx([1.5 * np.log(0.25)], rel=1e-12)


def test_signals_of_the_true_class_need_the_label() -> None:
    assert {signal for signal in SIGNALS if Forgetting(signal=signal).needs.label} == {"loss", "modified-entropy"}
    assert {Forgetting(signal=signal).needs.versions for signal in SIGNALS} == {"unlearned"}


@pytest.mark.parametrize("signal", SIGNALS)
def test_records_that_the_unlearned_model_still_remembers_score_high(
    signal: Signal, make_game: Callable[..., SampleRows]
) -> None:
    attack, rows = Forgetting(signal=signal), make_game(0)
    remembered = np.where(rows.deleted[:, None], np.log(np.eye(4)[rows.label] * 0.96 + 0.01), rows.before)
    rows = replace(rows, after=remembered[:, None])
    assert roc_auc_score(rows.deleted, attack.score(rows.view(attack.needs))) > 0.9


@pytest.mark.parametrize("signal", SIGNALS)
def test_where_deletion_left_no_trace_the_auc_is_at_chance(
    signal: Signal, make_game: Callable[..., SampleRows]
) -> None:
    attack, aucs = Forgetting(signal=signal), []
    for seed in range(200):
        rows = make_game(seed, n=100, leak=0.0)
        scores = attack.score(rows.view(attack.needs))
        aucs.append(np.mean(scores[rows.deleted][:, None] > scores[~rows.deleted]))
    assert abs(np.mean(aucs) - 0.5) < 3 * np.std(aucs) / np.sqrt(len(aucs))


@pytest.mark.parametrize("signal", SIGNALS)
def test_every_signal_meets_the_contract(signal: Signal) -> None:
    checks = [check for check in CHECKS if check.name != "record-declares-its-needs"]  # it is about the default signal
    subject = Subject(load_registry().get("attack", "forgetting"), Forgetting(signal=signal), ())
    assert [finding for check in checks for finding in check.findings(subject)] == []


def test_the_loss_without_the_label_is_stopped(one_row: SampleRows) -> None:
    with pytest.raises(UndeclaredNeedError, match="label"):
        Forgetting(signal="loss").score(one_row.view(Needs(versions="unlearned")))
