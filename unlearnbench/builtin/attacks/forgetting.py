"""Forgetting: membership inference on the unlearned model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.entropy import entropy, modified_entropy
from unlearnbench.core.attacks import ScoreAttack
from unlearnbench.core.observations import Needs, View
from unlearnbench.core.posteriors import true_class

Signal = Literal["loss", "confidence", "entropy", "modified-entropy"]
"""What of the unlearned model's answer is compared with a threshold."""


@dataclass(frozen=True)
class Forgetting(ScoreAttack):
    """Score how certain the unlearned model is of a record (the loss attack of Yeom et al. 2018 on that model).

    It does not query the original model. An AUC of .5 is perfect forgetting; above .5 the unlearned model still depends
    on deleted records.

    ``signal``: ``loss`` scores minus the cross-entropy of the true class; ``confidence`` the largest posterior of any
    class; ``entropy`` minus the entropy of the posteriors; ``modified-entropy`` minus the entropy that is 0 only where
    the true class is certain (Song and Mittal 2021). ``loss`` and ``modified-entropy`` need the label
    """

    signal: Signal = "loss"

    @property
    def needs(self) -> Needs:
        """The unlearned model's posteriors, and the label for signals of the true class."""
        return Needs(versions="unlearned", label=self.signal in ("loss", "modified-entropy"))

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the signal (n,) of the last unlearned model, such that a member's is higher."""
        match self.signal:
            case "loss":
                return true_class(view.after, view.label)
            case "confidence":
                return np.asarray(view.after.max(axis=1))
            case "entropy":
                return -entropy(view.after)
            case "modified-entropy":
                return -modified_entropy(view.after, view.label)
