"""Forgetting: membership inference on the unlearned model."""

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
    """Score the confidence of the unlearned model in a record (the loss attack of Yeom et al. 2018 on that model).

    It does not query the original model. An AUC of .5 is perfect forgetting; above .5 the unlearned model still depends
    on deleted records.

    ``signal``: ``loss`` scores minus the cross-entropy of the true class and needs the label; ``confidence`` scores the
    largest posterior of any class
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
