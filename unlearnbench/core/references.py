"""Reference models: models of the adversary's that were trained with and without each queried record.

Who is in the training set of which reference model follows from the seed path and the id of the record. So a reference
model is the same, however many there are, and anyone can derive its training set again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.arrays import ReadOnlyArrays
from unlearnbench.core.messages import counted
from unlearnbench.core.pools import side_halves
from unlearnbench.core.records import Records, among
from unlearnbench.core.seeding import SeedPath, keyed_bits

Ids = NDArray[np.int64]

REFERENCE_SIZES: Mapping[str, tuple[int, int]] = {
    "references": (0, 10_000),  # the keys of all of them are in the key of a cell
    "per_request": (1, 10**9),
    "population": (0, 10**9),
    "copies": (0, 10_000),
    "boundary": (0, 100_000),
}
"""Least and most of each size of :class:`ReferenceSizes`."""


@dataclass(frozen=True)
class ReferenceSizes:
    """What the adversary has besides its shadow models."""

    references: int = 0
    """Reference models."""
    per_request: int | None = None
    """Records that each deletion request to a reference model forgets; by default as many as a target's request."""
    population: int = 0
    """Records of the population that the target's models and the reference models are asked about too."""
    copies: int = 0
    """Noisy copies of each queried record, at each scale, that the models of either side are asked about too."""
    boundary: int = 0
    """Queries, at most, of each search for the decision boundary around a queried record, under the models of either
    side; 0 for no search."""


@dataclass(frozen=True, eq=False)
class ReferenceAnswers(ReadOnlyArrays):
    """What N reference models answer about m records: log-odds of the true class, see :func:`posteriors.log_odds`.

    Each is trained on a random half of the records in question. Its members among them are deleted, each in one of
    several requests, by the same unlearner as the target's. Which half it is has nothing to do with the target's
    training set. Of models 2j and 2j + 1 one is trained on a queried record and the other is not.
    """

    before: NDArray[np.float64]
    """Answers (m, N) of the original."""
    after: NDArray[np.float64]
    """Answers (m, N) of an unlearned model: of the one that deleted the record, or, where the original was not trained
    on it, of one that deleted other records."""
    member: NDArray[np.bool_]
    """Was the original trained on the record (m, N)."""

    def first(self, models: int) -> ReferenceAnswers:
        """Return the answers of the first models only."""
        return ReferenceAnswers(self.before[:, :models], self.after[:, :models], self.member[:, :models])

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> ReferenceAnswers:
        """Return the answers about chosen records, in the order given."""
        return ReferenceAnswers(self.before[rows], self.after[rows], self.member[rows])


@dataclass(frozen=True, eq=False)
class PopulationAnswers(ReadOnlyArrays):
    """What the models that were queried for the n rows of a view, and the references, answer about Z other records.

    No target and no reference model was trained on these records, and no request asks about them. All numbers are
    log-odds of the true class.
    """

    group: NDArray[np.int64]
    """Which of the g models each row was queried from (n,): rows of one original and request share one."""
    before: NDArray[np.float64]
    """Answers (g, Z) of the originals; (g, 0) where the needs do not declare them."""
    after: NDArray[np.float64]
    """Answers (g, Z) of the last unlearned versions; (g, 0) where the needs do not declare them."""
    references: ReferenceAnswers | None
    """Answers of the reference models, m = Z; None where the needs declare no references."""


def holds(ids: Ids, number: int, seeds: SeedPath) -> NDArray[np.bool_]:
    """Return which records (n,) the reference model ``number`` is trained on, if they are in its pool.

    A fair coin for each record and each two models says which of the two is trained on it: so every record is in one
    half of any even number of models.
    """
    pair, second = divmod(number, 2)
    coin = keyed_bits((seeds / "member").seed(), pair, ids) & np.uint64(1)
    return np.asarray(coin == second)


def reference_pool(queried: Ids, records: Records, size: int, side_seeds: SeedPath) -> Ids:
    """Return the records that reference models are trained on, each on one half of them: ``2 * size``, ascending.

    They are those ``queried`` from the target and others that the shadow side may train on. ``side_seeds`` is the path
    that the sides are split by. ValueError where there are too few records, or more are queried.
    """
    trainable, _ = side_halves(records, "shadow", side_seeds)
    others, missing = trainable[~among(trainable, queried)], 2 * size - len(queried)
    if not 0 <= missing <= len(others):
        raise ValueError(
            f"reference models of {counted(size, 'record')} need {2 * size} that hold all queried ones: {len(queried)} "
            f"are queried, and the shadow side may train on {len(others)} more"
        )
    return np.sort(np.concatenate([queried, _lowest(others, missing, side_seeds / "reference" / "others")]))


def population_sample(records: Records, size: int, side_seeds: SeedPath) -> Ids:
    """Return ``size`` records of the population in random order; the first of them are a smaller sample.

    They are unseen records of the shadow side: none of them is trained on by, or queried from, a target, and no
    reference model is trained on them. ValueError where there are fewer.
    """
    _, unseen = side_halves(records, "shadow", side_seeds)
    single = unseen[~records.has_duplicate[unseen]]
    if size > len(single):
        raise ValueError(f"a population of {counted(size, 'record')} is wanted, and {len(single)} are there")
    return _lowest(single, size, side_seeds / "reference" / "population")


def _lowest(ids: Ids, n: int, seeds: SeedPath) -> Ids:
    """Return the ``n`` records whose random words are lowest, by ascending word."""
    return ids[np.argsort(keyed_bits(seeds.seed(), ids), kind="stable")[:n]]
