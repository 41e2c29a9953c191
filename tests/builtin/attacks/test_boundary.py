"""The boundary attacks: what they score, no trace and a trace."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from unlearnbench.builtin.attacks.boundary import Boundary, BoundaryFall
from unlearnbench.core.boundary import BoundaryDistances
from unlearnbench.core.observations import UndeclaredNeedError, View
from unlearnbench.testing.samples import game

Attack = Boundary | BoundaryFall
Numbers = NDArray[np.float64]


def view(attack: Attack, before: Numbers, after: Numbers) -> View:
    """Return rows with these distances (n,)."""
    shown = BoundaryDistances(before if attack.needs.sees_original else np.empty(0), after)
    return replace(game(len(after)).view(attack.needs), _boundary=shown)


@pytest.mark.parametrize(
    ("attack", "expected"), [(Boundary(), [0.5, 2.0, 0.0]), (BoundaryFall(), [1.0, -0.5, 3.0])], ids=str
)
def test_known_answers(attack: Attack, expected: list[float]) -> None:
    before, after = np.array([1.5, 1.5, 3.0]), np.array([0.5, 2.0, 0.0])
    assert attack.score(view(attack, before, after)).tolist() == expected


def found(attack: Attack, seed: int, known: float, n: int = 300) -> float:
    """Return the AUC on rows of which half were deleted; a model that knows a record has it ``known`` deeper.

    The attack that reads one model reads one that still knows the deleted records.
    """
    rng = np.random.default_rng(seed)
    deleted = rng.permutation(n) % 2 == 0
    level = rng.gamma(4.0, 0.25, size=n)
    noise = rng.normal(scale=0.1, size=(2, n))
    knows, knew_not = (level + known * deleted + noise[0]).clip(0), (level + noise[1]).clip(0)
    rows = view(attack, knows, knew_not) if isinstance(attack, BoundaryFall) else view(attack, knew_not, knows)
    return float(roc_auc_score(deleted, attack.score(rows)))


@pytest.mark.parametrize("attack", [Boundary(), BoundaryFall()], ids=str)
@pytest.mark.parametrize(("known", "least", "most"), [(0.0, 0.48, 0.52), (0.5, 0.7, 1.0)])
def test_they_are_at_chance_without_a_trace_and_find_records_that_a_model_knows(
    attack: Attack, known: float, least: float, most: float
) -> None:
    assert least < np.mean([found(attack, seed, known) for seed in range(30)]) < most


def test_the_distance_under_the_original_is_for_attacks_that_query_it() -> None:
    shown = game().view(Boundary().needs).boundary
    assert (len(shown.before), len(shown.after)) == (0, len(game()))
    with pytest.raises(UndeclaredNeedError, match="distances to the decision boundary"):
        _ = game().view(replace(Boundary().needs, boundary=False)).boundary
