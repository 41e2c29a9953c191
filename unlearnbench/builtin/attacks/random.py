"""Control: random scores. The interval of its AUC must contain .5."""

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
    """Score each row by a uniform draw that does not depend on the row's content."""

    needs: ClassVar[Needs] = Needs(versions="none")

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        """Draw the seed of all scores."""
        return Guess(int(rng.integers(2**63)))


@dataclass(frozen=True)
class Guess:
    """Draws keyed by episode, request and the row's index within it, so that splitting a batch has no influence."""

    seed: int

    def score(self, view: View) -> NDArray[np.float64]:
        """Return a uniform draw in [0, 1) per row (n,)."""
        return keyed_uniforms(self.seed, view.episode, view.request, _index(view))


def _index(view: View) -> NDArray[np.int64]:
    """Return each row's index (n,) among the rows of its episode and request."""
    order = np.lexsort((view.request, view.episode))
    episode, request = view.episode[order], view.request[order]
    starts = np.r_[True, (np.diff(episode) != 0) | (np.diff(request) != 0)][: len(view)]
    counter = np.arange(len(view))
    index = np.empty(len(view), dtype=np.int64)
    index[order] = counter - np.maximum.accumulate(np.where(starts, counter, 0))
    return index
