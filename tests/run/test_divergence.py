"""The divergence of answers is that of its definition, over the rows of each request."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon

from tests.run.one_episode import PARTS
from unlearnbench.builtin.scenarios.group import Group
from unlearnbench.builtin.unlearners.controls.none import NoUnlearning
from unlearnbench.core.observations import Observations
from unlearnbench.core.posteriors import log_of
from unlearnbench.core.scenarios import Role
from unlearnbench.run.divergence import divergence, jensen_shannon
from unlearnbench.run.episodes import observe


def rows(unlearner: object = PARTS.unlearner) -> Observations:
    return observe(replace(PARTS, unlearner=unlearner, scenario=Group(2))).observations  # type: ignore[arg-type]  # one


@given(st.integers(0, 10**6), st.integers(2, 12), st.sampled_from([0.1, 1.0, 10.0]))
def test_it_is_that_of_scipy(seed: int, classes: int, spread: float) -> None:
    one, other = np.random.default_rng(seed).dirichlet(np.full(classes, spread), size=(2, 5))
    expected = jensenshannon(one, other, base=2, axis=1) ** 2
    assert jensen_shannon(log_of(one), log_of(other)) == pytest.approx(expected, abs=1e-9)


def test_equal_posteriors_have_none_and_disjoint_ones_have_one() -> None:
    certain = log_of(np.eye(2))
    assert jensen_shannon(certain, certain).tolist() == [0, 0]
    assert jensen_shannon(certain, certain[::-1]) == pytest.approx([1, 1])


def test_it_is_the_mean_over_the_rows_of_each_request() -> None:
    own, retrained = rows(NoUnlearning()), rows()

    def by_hand(role: Role, request: int) -> float:
        of: NDArray[np.bool_] = (own.role == role) & (own.request == request)
        pairs = zip(np.exp(own.after[of, 0]), np.exp(retrained.after[of, 0]), strict=True)
        return float(np.mean([jensenshannon(one, other, base=2) ** 2 for one, other in pairs]))

    expected = [[by_hand(role, request) for request in range(3)] for role in (Role.FORGOTTEN, Role.UNSEEN)]
    assert divergence(own, retrained) == pytest.approx(np.array(expected), abs=1e-9)
    assert np.max(expected) > 0


def test_retraining_has_none_from_itself() -> None:
    assert np.abs(divergence(rows(), rows())).max() < 1e-12


def test_without_unseen_rows_there_is_no_number() -> None:
    seen = rows().take(rows().role != Role.UNSEEN)
    assert divergence(seen, seen).shape == (2, 0)


def test_other_records_cannot_be_compared() -> None:
    own = rows()
    with pytest.raises(ValueError, match="asks retrained models about other records"):
        divergence(own, replace(own, record=own.record + 1))
