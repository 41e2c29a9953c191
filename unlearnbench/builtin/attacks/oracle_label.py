"""Control: the true answer. It shows the best value that a metric can have on these rows."""

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

    No attack has access to target membership. The run computes these scores itself, since the plug-in's record declares
    ``knows_truth``. The class exists so that suites can name it; calling it raises :class:`UserError`.
    """

    needs: ClassVar[Needs] = Needs(versions="none")
    probabilistic: ClassVar[bool] = True

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> NoReturn:
        """Raise UserError: the run computes these scores."""
        raise _refusal()

    def score(self, view: View) -> NoReturn:
        """Raise UserError: the run computes these scores."""
        raise _refusal()


def _refusal() -> UserError:
    return UserError(
        "oracle-label cannot be fitted or scored: no attack has access to membership, so a run computes its scores; "
        "list it among a suite's attacks"
    )
