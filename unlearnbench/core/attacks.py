"""The contract of attacks: learn from shadow models, then score target rows of unknown membership."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.observations import Needs, ShadowView, View
from unlearnbench.core.scenarios import Role

VERDICTS: Mapping[Role, float] = {Role.FORGOTTEN: 1.0, Role.RETAINED: 0.5, Role.UNSEEN: 0.0}
"""The scores of an attack that names one of three roles for each row. As all scores, they are higher for "deleted"."""


class FittedAttack(Protocol):
    """A fitted attack: what :meth:`Attack.fit` returns."""

    def score(self, view: View) -> NDArray[np.float64]:
        """Return one finite score (n,) per row; higher means "deleted".

        The score of a row follows from that row and from what was learned: it is the same to the bit in every view, and
        whatever was scored before.
        """
        ...


@dataclass(frozen=True)
class Baseline:
    """The classical attack that an attack's degradation is measured against."""

    name: str = ""
    """Empty for the built-in baseline that queries the original model only."""
    params: Mapping[str, object] = field(default_factory=dict)
    """Parameters that differ from their defaults."""


class Attack(ABC):
    """A kind of attack. One that learns writes ``fit``; one that is a formula subclasses :class:`ScoreAttack`.

    ``needs`` declares all that it may read: a class attribute, or a property where it depends on parameters.
    """

    probabilistic: ClassVar[bool] = False
    """True where scores are probabilities of "deleted"; DegCount and DegRate are defined for those only."""

    @property
    def needs(self) -> Needs:
        """What the attack may read; by default the posteriors of the original and of the unlearned models."""
        return Needs()

    @property
    def baseline(self) -> Baseline:
        """The classical attack to compare with; by default the one with its own default parameters."""
        return Baseline()

    @property
    def learns(self) -> bool:
        """Whether ``fit`` learns from shadow rows. If not, other shadow models change none of its scores."""
        return True

    @abstractmethod
    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        """Learn from balanced shadow rows: every positive, and as many negatives of the same request.

        If the needs declare ``retained``, also from up to as many retained rows of each request.
        """


class ScoreAttack(Attack):
    """An attack given by a formula: it learns nothing from shadow models. Authors must write only ``score``."""

    @property
    def learns(self) -> bool:
        """False: a formula."""
        return False

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:  # noqa: ARG002 - nothing to learn
        """Return the attack itself."""
        return self

    @abstractmethod
    def score(self, view: View) -> NDArray[np.float64]:
        """Return one finite score (n,) per row; higher means "deleted"."""
