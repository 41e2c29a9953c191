"""The population attack: how a record's loss ranks among those of records that no model was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from unlearnbench.builtin.attacks.per_record import unlearned_odds
from unlearnbench.core.attacks import ScoreAttack
from unlearnbench.core.observations import Needs, View

Size = Annotated[int, Field(ge=1)]
"""A number of records of the population."""


@dataclass(frozen=True)
class Population(ScoreAttack):
    """Score the share of the population whose loss is higher than the record's ("attack P" of Ye et al. 2022).

    On one model it ranks records as the loss does; it makes the losses of several models comparable.

    ``population``: records to compare with
    """

    population: Size = 100

    @property
    def needs(self) -> Needs:
        """The unlearned model, the label, and the population."""
        return Needs(versions="unlearned", label=True, population=self.population)

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the share (n,)."""
        known = view.population
        return share_below(unlearned_odds(view), known.after, known.group)


def share_below(
    values: NDArray[np.float64], others: NDArray[np.float64], group: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return which share (n,) of the ``others`` (g, Z) of its group is strictly below each value (n,)."""
    below = np.empty(len(values))
    ascending = np.sort(others, axis=1)
    for number, row in enumerate(ascending):
        own = group == number
        below[own] = np.searchsorted(row, values[own], side="left")
    return np.asarray(below / others.shape[1])
