"""How far a record is from the decision boundary of a model, by labels alone: HopSkipJump (Chen et al. 2020).

The search is that of the Adversarial Robustness Toolbox (ART), with a query function of our own: it tells labels,
counts, keeps the nearest point that has another label than the record, and ends the search when the budget is spent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError
from unlearnbench.core.models import Fitted
from unlearnbench.core.records import Records
from unlearnbench.core.seeding import SeedPath, keyed_bits
from unlearnbench.engine.querying import query

Floats = NDArray[np.float64]

TOOLBOX: Final = "adversarial-robustness-toolbox"
TOOLBOX_VERSION: Final = "1.20.1"
"""The one version that is used: distances depend on its draws, and no key or fingerprint of a run tells it."""

STARTS: Final = 100
"""How many points are tried, at most, to find one with another label, from which the search starts."""


@dataclass(frozen=True)
class Search:
    """What a search around one record found."""

    distance: float
    """As in :class:`~unlearnbench.core.boundary.BoundaryDistances`."""
    queries: int
    """How many points the model was asked about."""


def require_toolbox() -> None:
    """Raise :class:`UserError` where ART is not installed in the version that is used. It is not imported."""
    try:
        found = version(TOOLBOX)
    except PackageNotFoundError:
        found = "none"
    if found != TOOLBOX_VERSION:
        raise UserError(
            f"adversary: boundary: needs {TOOLBOX} {TOOLBOX_VERSION}, and {found} is installed; "
            'pip install "unlearnbench[boundary]"'
        )


def search_boundary(fitted: Fitted, records: Records, record: int, budget: int, seeds: SeedPath) -> Search:
    """Search for the nearest point that a model labels otherwise than a record, by at most ``budget`` queries.

    Points are the record with other values of its features, numbers or not, within the bounds of the data set, or,
    where it has none, between the least and the largest value of each feature. A feature that all records share stays.
    The result follows from the seed path, the record and the model. A larger budget goes on where a smaller one ends.
    """
    ask = LabelQueries(fitted, records, record, budget)
    with suppress(SearchEndedError):
        if (start := _start(ask, record, seeds / "start")) is not None:
            _hop_skip_jump(ask, start, int(keyed_bits((seeds / "steps").seed(), record)))
    return Search(ask.nearest, ask.count)


class SearchEndedError(Exception):
    """The budget is spent, or the search asks about a point that is none."""


@dataclass(frozen=True, eq=False)
class Space:
    """The points of a data set that searches may ask about: values of the m features that vary, within bounds."""

    varies: NDArray[np.bool_]
    """Which of all features, flat, these are."""
    spread: Floats
    """The standard deviation (m,) of each over the data set."""
    low: Floats
    """The least value (m,)."""
    high: Floats
    """The largest value (m,)."""

    @classmethod
    @lru_cache(maxsize=2)  # all searches in a data set share it
    def of(cls, records: Records) -> Space:
        """Return the points of a data set."""
        x, spread = records.x.reshape(len(records), -1), records.spread.ravel()
        low, high = x.min(axis=0), x.max(axis=0)
        varies = (low < high) & (spread > 0)
        if records.bounds is not None:
            low, high = (np.full_like(spread, bound) for bound in records.bounds)
        return cls(varies, spread[varies], low[varies], high[varies])


class LabelQueries:
    """The query function around one record. A point is told by its offset (m,) from the record, over the spread."""

    def __init__(self, fitted: Fitted, records: Records, record: int, budget: int) -> None:
        self.space = Space.of(records)
        self.n_classes = records.n_classes
        self.budget = budget
        self.count = 0
        """How many points it was asked about."""
        self._fitted = fitted
        self._label = records.y[record]
        self._features = records.x[record]
        self._origin = self._features.ravel()[self.space.varies]
        self.low = (self.space.low - self._origin) / self.space.spread
        self.high = (self.space.high - self._origin) / self.space.spread
        self.nearest = float(np.linalg.norm(np.maximum(-self.low, self.high)))
        """The distance of the nearest point with another label; before there is one, of the farthest there could be."""

    def __call__(self, offsets: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the labels of points, one-hot (n, C); :class:`SearchEndedError` where they spend the budget."""
        if not np.isfinite(offsets).all():  # a step over 0 / 0: there is no direction to go on
            raise SearchEndedError
        points = self._points(offsets[: self.budget - self.count])
        self.count += len(points)
        answers = query([self._fitted], self._with_others(points), self.n_classes)[0]
        labels = answers.argmax(axis=1)  # of equal ones the first, as where labels are released
        others = points[labels != self._label]
        distances = np.linalg.norm((others - self._origin) / self.space.spread, axis=1)
        self.nearest = float(distances.min(initial=self.nearest))
        if self.count >= self.budget:
            raise SearchEndedError
        return np.asarray(np.eye(self.n_classes, dtype=np.float32)[labels])

    def is_other(self, offset: NDArray[np.floating]) -> bool:
        """Ask whether one point has another label than the record."""
        return bool(self(offset[None]).argmax() != self._label)

    def _points(self, offsets: NDArray[np.floating]) -> Floats:
        """Return the values (n, m) of the features that vary."""
        moved = self._origin + self.space.spread * offsets.astype(np.float64)
        return np.asarray(moved.clip(self.space.low, self.space.high))

    def _with_others(self, points: Floats) -> Floats:
        """Return all features (n, ...), those that do not vary as the record has them."""
        features = np.repeat(self._features.reshape(1, -1), len(points), axis=0)
        features[:, self.space.varies] = points
        return features.reshape(-1, *self._features.shape)


def _start(ask: LabelQueries, record: int, seeds: SeedPath) -> NDArray[np.float32] | None:
    """Return an offset (m,) with another label than the record; None where it is labelled otherwise itself.

    None too where no point that is tried has another one. Tried are corners, drawn for the record: on tables, points
    that are uniform between them often all have one label.
    """
    if ask.is_other(np.zeros_like(ask.low)):
        return None
    features = np.arange(len(ask.low))
    for number in range(STARTS):
        upper = keyed_bits(seeds.seed(), record, number, features) % 2 == 1
        corner: NDArray[np.float32] = np.where(upper, ask.high, ask.low).astype(np.float32)
        if ask.is_other(corner):
            return corner
    return None


def _hop_skip_jump(ask: LabelQueries, start: NDArray[np.float32], seed: int) -> None:
    """Let ART search from an offset with another label, until the query function ends it."""
    from art.attacks.evasion.hop_skip_jump import HopSkipJump
    from art.estimators.classification.blackbox import BlackBoxClassifier

    box = ask.low.astype(np.float32), ask.high.astype(np.float32)
    model = BlackBoxClassifier(ask, ask.low.shape, ask.n_classes, clip_values=box)
    search = HopSkipJump(model, batch_size=ask.budget, max_iter=ask.budget, verbose=False)
    record = np.zeros((1, len(ask.low)), dtype=np.float32)
    label = np.eye(ask.n_classes, dtype=np.float32)[[0]]  # read only after the last step, which is never made
    with _drawing(seed), np.errstate(all="ignore"):
        search.generate(record, y=label, x_adv_init=start[None])


@contextmanager
def _drawing(seed: int) -> Iterator[None]:
    """Have numpy's global generator, which ART draws from, start from a seed of 64 bits; then put it back."""
    state = np.random.get_state()  # noqa: NPY002 - ART uses no other
    np.random.seed([seed & 0xFFFFFFFF, seed >> 32])  # noqa: NPY002 - as above
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002 - as above
