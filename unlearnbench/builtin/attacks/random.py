"""Control: a guess. Its interval must hold one half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.attacks import Attack, FittedAttack
from unlearnbench.core.observations import Needs, ShadowView, View
from unlearnbench.core.seeding import keyed_uniforms


@dataclass(frozen=True)
class Random(Attack):
    """Score every row by a uniform draw that has nothing to do with what the row holds."""

    needs: ClassVar[Needs] = Needs(versions="none")

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        """Draw the seed of all guesses."""
        return Guess(int(rng.integers(2**63)))


@dataclass(frozen=True)
class Guess:
    """Draws keyed by episode, request and the row's place within it: no matter how rows are split over calls."""

    seed: int

    def score(self, view: View) -> NDArray[np.float64]:
        """Return a uniform draw in [0, 1) per row (n,)."""
        return keyed_uniforms(self.seed, view.episode, view.request, _place(view))


def _place(view: View) -> NDArray[np.int64]:
    """Return each row's place (n,) among the rows of its episode and request."""
    order = np.lexsort((view.request, view.episode))
    episode, request = view.episode[order], view.request[order]
    starts = np.r_[True, (np.diff(episode) != 0) | (np.diff(request) != 0)][: len(view)]
    counter = np.arange(len(view))
    place = np.empty(len(view), dtype=np.int64)
    place[order] = counter - np.maximum.accumulate(np.where(starts, counter, 0))
    return place
