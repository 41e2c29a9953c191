"""The gap attack, which sees labels only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from unlearnbench.builtin.attacks.gap import Gap
from unlearnbench.core.posteriors import log_of
from unlearnbench.testing.samples import SampleRows

RIGHT, WRONG = [0.2, 0.7, 0.1], [0.5, 0.4, 0.1]


def scores(rows: SampleRows) -> list[float]:
    return list(Gap().score(rows.view(Gap.needs)))


def test_known_answers(make_rows: Callable[..., SampleRows]) -> None:
    before, after = np.array([RIGHT, RIGHT, WRONG, WRONG]), np.array([RIGHT, WRONG, RIGHT, WRONG])
    assert scores(make_rows(before, after, np.ones(4, dtype=np.int64))) == [0, 1, -1, 0]


def test_it_equals_a_plain_loop(make_game: Callable[..., SampleRows]) -> None:
    rows, expected = make_game(0), []
    for before, after, label in zip(rows.before, rows.after[:, -1], rows.label, strict=True):
        right = [max(range(len(answer)), key=answer.__getitem__) == label for answer in (before, after)]
        expected.append(float(right[0]) - float(right[1]))
    assert len(set(expected)) == 3
    assert scores(rows) == expected


def test_it_needs_no_more_than_the_most_probable_class(make_game: Callable[..., SampleRows]) -> None:
    rows = make_game(1)

    def label_only(answers: NDArray[np.float64]) -> NDArray[np.float64]:
        return log_of(np.eye(answers.shape[-1])[answers.argmax(axis=-1)])

    assert scores(replace(rows, before=label_only(rows.before), after=label_only(rows.after))) == scores(rows)


@pytest.mark.parametrize(("leak", "least", "most"), [(0.0, 0.45, 0.55), (4.0, 0.7, 1.0)])
def test_it_is_at_chance_without_a_trace_and_finds_records_whose_label_flips(
    make_game: Callable[..., SampleRows], leak: float, least: float, most: float
) -> None:
    games = [make_game(seed, leak=leak) for seed in range(20)]
    aucs = [roc_auc_score(rows.deleted, scores(rows)) for rows in games]
    assert least < np.mean(aucs) < most
