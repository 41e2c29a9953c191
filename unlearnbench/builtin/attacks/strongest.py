"""The strongest of several attacks, chosen on shadow models: so the choice is part of the attack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from unlearnbench.builtin.attacks.direct_concat import DirectConcat
from unlearnbench.builtin.attacks.direct_diff import DirectDiff
from unlearnbench.builtin.attacks.ensemble import Ensemble
from unlearnbench.builtin.attacks.euclidean import Euclidean
from unlearnbench.builtin.attacks.forgetting import Forgetting
from unlearnbench.builtin.attacks.gap import Gap
from unlearnbench.builtin.attacks.score_diff import ScoreDiff
from unlearnbench.builtin.attacks.score_ratio import ScoreRatio
from unlearnbench.builtin.attacks.sorted_concat import SortedConcat
from unlearnbench.builtin.attacks.sorted_diff import SortedDiff
from unlearnbench.core.attacks import Attack, FittedAttack
from unlearnbench.core.observations import Needs, ShadowView
from unlearnbench.stats import auc

Candidate = Literal[
    "direct-concat",
    "direct-diff",
    "ensemble",
    "euclidean",
    "forgetting",
    "gap",
    "score-diff",
    "score-ratio",
    "sorted-concat",
    "sorted-diff",
]
"""Attacks that can score shadow rows, each with its default parameters."""
CANDIDATES: Final[Mapping[Candidate, type[Attack]]] = {
    "direct-concat": DirectConcat,
    "direct-diff": DirectDiff,
    "ensemble": Ensemble,
    "euclidean": Euclidean,
    "forgetting": Forgetting,
    "gap": Gap,
    "score-diff": ScoreDiff,
    "score-ratio": ScoreRatio,
    "sorted-concat": SortedConcat,
    "sorted-diff": SortedDiff,
}


@dataclass(frozen=True)
class Strongest(Attack):
    """Choose the attack with the highest AUC on shadow rows, fit it on all of them, and score as it does.

    Each attack is fitted on either half of the shadow originals and scores the other half; its AUC is the mean of the
    two. Of equal attacks the first in the list is chosen. No target row is used, so the AUC of this attack is not
    biased by the choice, as the highest of a table is. With one shadow original its requests are the halves.

    ``attacks``: names of built-in attacks, which have their default parameters
    """

    attacks: Annotated[tuple[Candidate, ...], Field(min_length=1)] = (
        "score-diff",
        "score-ratio",
        "sorted-diff",
        "direct-diff",
        "euclidean",
        "forgetting",
    )

    needs: ClassVar[Needs] = Needs(label=True)

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        """Return the chosen attack, fitted."""
        seed = int(rng.integers(2**63))
        return CANDIDATES[self.chosen(shadow, seed)]().fit(shadow, np.random.default_rng(seed))

    def chosen(self, shadow: ShadowView, seed: int) -> Candidate:
        """Return the name of the attack with the highest AUC."""
        found = [self._auc(CANDIDATES[name](), shadow, seed) for name in self.attacks]
        return self.attacks[int(np.argmax(found))]

    def _auc(self, attack: Attack, shadow: ShadowView, seed: int) -> float:
        """Return the mean AUC on either half of rows, by the attack fitted on the other; 0 where none is defined."""
        second = _second_half(shadow)
        found = [_auc_of(attack, shadow.take(~half), shadow.take(half), seed) for half in (~second, second)]
        return float(np.mean([one for one in found if one is not None] or [0.0]))


def _auc_of(attack: Attack, known: ShadowView, judged: ShadowView, seed: int) -> float | None:
    if not len(known) or judged.deleted.all() or not judged.deleted.any():
        return None
    return auc(attack.fit(known, np.random.default_rng(seed)).score(judged), judged.deleted)


def _second_half(shadow: ShadowView) -> NDArray[np.bool_]:
    """Return the rows (n,) of every second original, or of every second request where there is one original."""
    originals, number = np.unique(shadow.episode, return_inverse=True)
    if len(originals) < 2:
        _, number = np.unique(shadow.request, return_inverse=True)
    return np.asarray(number % 2 == 1)
