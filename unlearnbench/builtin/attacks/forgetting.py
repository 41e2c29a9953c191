"""Forgetting: what the unlearned model still remembers of a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.attacks import ScoreAttack
from unlearnbench.core.observations import Needs, View
from unlearnbench.core.posteriors import true_class


@dataclass(frozen=True)
class Forgetting(ScoreAttack):
    """Score how sure the unlearned model is of a record (Yeom et al. 2018's loss attack, asked of that model).

    It never sees the original model.

    ``signal``: ``loss`` scores minus the cross-entropy of the true class and needs the label; ``confidence`` scores
    the largest posterior, whichever class it is of. "Deleted" scores high where deletion left traces: an AUC of one
    half is perfect forgetting.
    """

    signal: Literal["loss", "confidence"] = "loss"

    @property
    def needs(self) -> Needs:
        """The unlearned model's posteriors, and the label for the loss."""
        return Needs(versions="unlearned", label=self.signal == "loss")

    def score(self, view: View) -> NDArray[np.float64]:
        """Return minus the loss, or the log of the largest posterior (n,), of the last unlearned model."""
        if self.signal == "confidence":
            return np.asarray(view.after.max(axis=1))
        return true_class(view.after, view.label)
