"""Synthetic games: rows of posteriors, of which some were deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.core.observations import Needs, ShadowView, View
from unlearnbench.core.posteriors import log_of


@dataclass(frozen=True)
class Rows:
    """Everything that views are made of; before (n, C) and after (n, V, C) are probabilities."""

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    versions: NDArray[np.int64]
    label: NDArray[np.int64]
    features: NDArray[np.float64]
    deleted: NDArray[np.bool_]
    episode: NDArray[np.int64]
    request: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.label)

    def take(self, rows: object) -> Rows:
        return replace(self, **{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def _parts(self) -> tuple[object, ...]:
        return (
            self.before.shape[1],
            self.episode,
            self.request,
            log_of(self.before),
            log_of(self.after),
            self.versions,
            self.label,
            self.features,
        )

    def view(self, needs: Needs) -> View:
        return View(needs, *self._parts())

    def shadow(self, needs: Needs) -> ShadowView:
        member = np.repeat(self.deleted[:, None], self.after.shape[1] + 1, axis=1)
        return ShadowView(needs, *self._parts(), self.deleted, member)


def rows_of(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    label: NDArray[np.int64] | None = None,
    deleted: NDArray[np.bool_] | None = None,
) -> Rows:
    """Rows with one unlearned version, five a request and two requests an episode."""
    n = len(before)
    place = np.arange(n)
    return Rows(
        np.asarray(before, dtype=np.float64),
        np.asarray(after, dtype=np.float64)[:, None],
        np.ones(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64) if label is None else np.asarray(label),
        np.random.default_rng(n).normal(size=(n, 3)),
        place % 2 == 0 if deleted is None else np.asarray(deleted),
        place // 10,
        place // 5 % 2,
    )


def game(seed: int, n: int = 400, n_classes: int = 4, leak: float = 1.0) -> Rows:
    """Deleted rows lose confidence in their label by about ``leak`` nats, all others hardly move."""
    rng = np.random.default_rng(seed)
    label = rng.integers(n_classes, size=n)
    deleted = rng.permutation(n) % 2 == 0
    logits = rng.normal(size=(n, n_classes))
    logits[np.arange(n), label] += 2.0
    moved = logits + rng.normal(scale=0.05, size=logits.shape)
    moved[np.arange(n), label] -= leak * deleted * rng.uniform(0.5, 1.5, size=n)
    return rows_of(softmax(logits), softmax(moved), label, deleted)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.fixture(scope="session")
def make_rows() -> Callable[..., Rows]:
    return rows_of


@pytest.fixture(scope="session")
def make_game() -> Callable[..., Rows]:
    return game
