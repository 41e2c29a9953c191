from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.core.models import Fitted, HasRegions
from unlearnbench.engine.banks import Member
from unlearnbench.engine.querying import Ensemble, query

X = np.arange(5.0)[:, None]


class Fixed:
    """Gives the same answer for every record, and counts how often it is queried."""

    def __init__(self, *posterior: float) -> None:
        self.posterior = posterior
        self.queried = 0

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        self.queried += 1
        return np.asarray(np.log(np.tile(self.posterior, (len(x), 1))))


@pytest.fixture
def parts() -> tuple[Fixed, ...]:
    return tuple(Fixed(p, 1 - p) for p in (0.1, 0.4, 0.9))


def test_an_ensemble_answers_with_the_mean_of_the_probabilities(parts: tuple[Fixed, ...]) -> None:
    answer = np.exp(Ensemble(parts, (1.0, 1.0, 1.0)).log_posteriors(X))
    np.testing.assert_allclose(answer, np.tile([1.4 / 3, 1.6 / 3], (5, 1)))


def test_weights_say_how_much_each_part_counts(parts: tuple[Fixed, ...]) -> None:
    answer = np.exp(Ensemble(parts, (10.0, 0.5, 2.0)).log_posteriors(X))
    np.testing.assert_allclose(answer[:, 0], (10 * 0.1 + 0.5 * 0.4 + 2 * 0.9) / 12.5)


def test_an_ensemble_is_a_model_without_regions(parts: tuple[Fixed, ...]) -> None:
    ensemble = Ensemble(parts, (1.0, 1.0, 1.0))
    assert isinstance(ensemble, Fitted)
    assert not isinstance(ensemble, HasRegions)


def test_asking_together_equals_asking_one_by_one_bitwise(parts: tuple[Fixed, ...]) -> None:
    inner = Ensemble(parts[:2], (1.0, 3.0))
    models: list[Fitted] = [parts[0], inner, Ensemble((inner, parts[2]), (2.0, 1.0)), parts[2], parts[0]]
    together = query(models, X, 2)
    assert together.shape == (5, 5, 2)
    assert np.array_equal(together, np.stack([model.log_posteriors(X) for model in models]))


def test_every_part_is_queried_once_however_many_models_share_it(parts: tuple[Fixed, ...]) -> None:
    shared = Ensemble(parts[:2], (1.0, 1.0))
    others = Ensemble((parts[1], parts[2]), (1.0, 1.0)), shared, Ensemble((shared, parts[1]), (1, 1))
    query([shared, parts[0], *others], X, 2)
    assert [part.queried for part in parts] == [1, 1, 1]


def test_models_that_are_equal_but_not_the_same_are_each_queried() -> None:
    duplicates = [Fixed(0.5, 0.5), Fixed(0.5, 0.5)]
    query(duplicates, X, 2)
    assert [duplicate.queried for duplicate in duplicates] == [1, 1]


class Bank:
    """Holds models that answer with a probability of their own, and counts how often it is queried."""

    def __init__(self, *probabilities: float) -> None:
        self.probabilities = np.array(probabilities)
        self.queried: list[list[int]] = []

    def log_posteriors(self, x: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.float64]:
        self.queried.append(which.tolist())
        p = self.probabilities[which][:, None, None] * np.ones((len(x), 1))
        return np.asarray(np.log(np.concatenate([p, 1 - p], axis=2)))


def test_the_models_of_a_bank_are_queried_together_and_each_gets_its_own_answer(
    parts: tuple[Fixed, ...],
) -> None:
    banks = Bank(0.1, 0.2, 0.3), Bank(0.6)
    a, b, c = (Member(banks[0], index) for index in (2, 0, 1))
    models: list[Fitted] = [a, Ensemble((b, parts[0], c), (1.0, 1.0, 2.0)), Member(banks[1], 0), b, a]
    together = query(models, X, 2)
    assert banks[0].queried == [[2, 0, 1]]
    assert banks[1].queried == [[0]]
    assert np.array_equal(together, np.stack([model.log_posteriors(X) for model in models]))
