"""The base of attacks that compare an unlearned model's answer on a record with those of reference models on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from unlearnbench.core.attacks import ScoreAttack
from unlearnbench.core.observations import Needs, View
from unlearnbench.core.posteriors import log_odds

Models = Annotated[int, Field(ge=4)]
"""A number of reference models: at least two of either side, for a standard deviation."""


@dataclass(frozen=True)
class PerRecordAttack(ScoreAttack):
    """Score the unlearned model's answer. Subclasses must write only ``score``.

    ``references``: reference models, half of which were trained on any one record
    """

    references: Models = 16

    @property
    def needs(self) -> Needs:
        """The unlearned model, the label, and reference models."""
        return Needs(versions="unlearned", label=True, references=self.references)


def unlearned_odds(view: View) -> NDArray[np.float64]:
    """Return the log-odds (n,) of the true class by the last unlearned model."""
    return log_odds(view.after, view.label)
