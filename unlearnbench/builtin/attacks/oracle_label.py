"""Control: the right answer. It shows the best value that a metric can take on these rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NoReturn

import numpy as np

from unlearnbench.core.attacks import Attack
from unlearnbench.core.errors import UserError
from unlearnbench.core.observations import Needs, ShadowView, View


@dataclass(frozen=True)
class OracleLabel(Attack):
    """Score membership itself: 1 for a deleted record, 0 for another.

    No attack is ever given target membership, this one neither: the runner knows the name and makes its scores.
    The class stands here to be listed and named in a suite; used by hand it raises :class:`UserError`.
    """

    needs: ClassVar[Needs] = Needs(versions="none")
    probabilistic: ClassVar[bool] = True

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> NoReturn:
        """Refuse: the runner makes this row."""
        raise _refusal()

    def score(self, view: View) -> NoReturn:
        """Refuse: the runner makes this row."""
        raise _refusal()


def _refusal() -> UserError:
    return UserError(
        "oracle-label cannot be fitted or scored: no attack is given membership, the runner makes this row; "
        "name it among a suite's attacks"
    )
