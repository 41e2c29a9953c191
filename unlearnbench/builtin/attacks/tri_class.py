"""The three-class attack: is a record forgotten, retained or unseen (TC-UMIA, Fu et al. 2026, arXiv 2605.01129)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.attack_models import AttackModel, Shares, fit_classes
from unlearnbench.core.attacks import VERDICTS, Attack, FittedAttack
from unlearnbench.core.observations import Needs, ShadowView, View
from unlearnbench.core.posteriors import true_class
from unlearnbench.core.scenarios import Role

Score = Literal["forgotten", "retained", "trained", "verdict"]
"""The score: the probability of one class, 1 less that of ``unseen``, or the most probable class."""
CLASSES: Final = (Role.FORGOTTEN, Role.RETAINED, Role.UNSEEN)
NAMED: Final[NDArray[np.float64]] = np.array([VERDICTS[role] for role in CLASSES])


@dataclass(frozen=True)
class TriClass(Attack):
    """Learn three classes, forgotten, retained and unseen, from [p_o(y), p_u(y)], the posteriors of the true class.

    A score is one number, so one of four is chosen. All are higher for records that were in the training set. The
    paper's classifier is a network with one layer of 128 units; its code is not public.

    ``score``: the probability of ``forgotten`` or of ``retained``; ``trained``: 1 less the probability of unseen;
    ``verdict``: 1, .5 or 0 where forgotten, retained or unseen is most probable, the first of equal ones

    ``model``: the classifier
    """

    score: Score = "forgotten"
    model: AttackModel = "decision-tree"

    needs: ClassVar[Needs] = Needs(label=True, retained=True)

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        """Fit the classifier; ``rng`` yields its seed."""
        number = np.select([shadow.deleted, shadow.retained], [0, 1], 2)
        return FittedTriClass(self.score, fit_classes(self.model, both_true(shadow), number, len(CLASSES), rng))


@dataclass(frozen=True)
class FittedTriClass:
    """A fitted classifier, and which of its numbers is the score."""

    chosen: Score
    shares: Shares

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the chosen number (n,) of each row."""
        forgotten, retained, unseen = shares = self.shares(both_true(view)).T
        match self.chosen:
            case "forgotten":
                return np.asarray(forgotten)
            case "retained":
                return np.asarray(retained)
            case "trained":
                return np.asarray(1 - unseen)
            case "verdict":
                return np.asarray(NAMED[shares.argmax(axis=0)])


def both_true(view: View) -> NDArray[np.float64]:
    """Return the posteriors of the true class (n, 2) by the original and by the last unlearned model."""
    return np.exp(np.stack([true_class(answers, view.label) for answers in (view.before, view.after)], axis=1))
