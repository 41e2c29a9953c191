"""Delta: the step of a sequence at which a record's loss rises most, and by how much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from unlearnbench.builtin.attacks.delta import Delta
from unlearnbench.builtin.attacks.score_diff import ScoreDiff
from unlearnbench.core.observations import Needs, UndeclaredNeedError
from unlearnbench.testing.samples import SampleRows

NEEDS = Delta().needs


def chain(make_rows: Callable[..., SampleRows], *confidence: list[float]) -> SampleRows:
    """Rows of a binary problem, label 0, by their confidence in it (row, version), the original's first."""
    p = np.asarray(confidence, dtype=float)
    both = np.stack([p, 1 - p], axis=2)
    rows = make_rows(both[:, 0], both[:, 1])
    return replace(rows, after=np.log(both[:, 1:]), versions=np.full(len(p), p.shape[1] - 1))


def test_a_worked_example(make_rows: Callable[..., SampleRows]) -> None:
    rows = chain(make_rows, [0.8, 0.8, 0.4, 0.5], [0.9, 0.3, 0.6, 0.6])
    assert Delta().score(rows.view(NEEDS)) == pytest.approx([np.log(2), np.log(3)])


def test_the_largest_rise_names_the_version_that_deleted_the_record(make_rows: Callable[..., SampleRows]) -> None:
    rows = chain(make_rows, [0.8, 0.4, 0.5, 0.5], [0.8, 0.7, 0.3, 0.4], [0.8, 0.8, 0.8, 0.2])
    assert Delta().rises(rows.view(NEEDS)).argmax(axis=1).tolist() == [0, 1, 2]


def test_with_one_version_it_is_score_diff(make_game: Callable[..., SampleRows]) -> None:
    rows = make_game(0, n=50)
    assert np.array_equal(Delta().score(rows.view(NEEDS)), ScoreDiff().score(rows.view(NEEDS)))


def test_a_rise_that_is_undone_later_is_found_where_first_and_last_are_alike(
    make_rows: Callable[..., SampleRows],
) -> None:
    rows = chain(make_rows, [0.8, 0.4, 0.8], [0.8, 0.8, 0.8])
    assert ScoreDiff().score(rows.view(NEEDS)) == pytest.approx([0, 0], abs=1e-12)
    assert np.diff(Delta().score(rows.view(NEEDS)))[0] < -0.5


def test_versions_that_a_short_request_does_not_have_count_for_nothing(make_rows: Callable[..., SampleRows]) -> None:
    rows = chain(make_rows, [0.4, 0.8, 0.8])
    short = replace(rows, versions=np.array([1]))
    assert Delta().score(short.view(NEEDS)) == pytest.approx([-np.log(2)])
    assert Delta().score(rows.view(NEEDS)) == pytest.approx([0])


def test_without_the_label_it_is_stopped(make_game: Callable[..., SampleRows]) -> None:
    with pytest.raises(UndeclaredNeedError, match="label"):
        Delta().score(make_game(0).view(Needs()))
