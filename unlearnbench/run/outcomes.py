"""What became of a model that was to forget: whether it still knows anything, and whether it moved at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.metrics import Utility
from unlearnbench.core.models import Fitted
from unlearnbench.core.records import TrainingSet, among
from unlearnbench.core.scenarios import Request
from unlearnbench.engine.gradients.unlearner import same_weights
from unlearnbench.engine.networks.modules import HasModule
from unlearnbench.run.query_set import Answers


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How many requests of a cell ended in a way that its numbers must be read with."""

    requests: int
    collapsed: int = 0
    """How many models have lost most of what the original knows of the retain set."""
    unmoved: int = 0
    """How many models are still the original, though a record was to be deleted."""

    @classmethod
    def of(cls, utility: Utility) -> Outcomes:
        """Count the requests of a cell."""
        return cls(len(utility.episode), int(utility.collapsed.sum()), int(utility.unmoved.sum()))

    def __add__(self, other: Outcomes) -> Outcomes:
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Outcomes(*(one + another for one, another in pairs))

    @property
    def marks(self) -> tuple[str, ...]:
        """The outcomes that occurred, such as ``collapsed 3/50``."""
        counts = {"collapsed": self.collapsed, "unmoved": self.unmoved}
        return tuple(f"{name} {count}/{self.requests}" for name, count in counts.items() if count)


Accuracies = NDArray[np.float64]

LOST: Final = 0.5
"""A model that lost more than this share of the original's accuracy above a constant answer's has collapsed."""
LEAST: Final = 0.05
"""How far above it the original must be to be judged: nearer, chance decides."""
ROUNDING: Final = 1e-4
"""How much posteriors of equal networks may differ."""


def collapsed(original: Accuracies, unlearned: Accuracies, constant: Accuracies) -> NDArray[np.bool_]:
    """Return which models (m,) have collapsed, by their accuracy on the retain set.

    ``original`` is the original's accuracy on its training set, ``constant`` that of the best constant answer on the
    retain set, which is the share of its most frequent class.
    """
    known = original - constant
    return np.asarray((known >= LEAST) & (unlearned - constant < (1 - LOST) * known))


def unmoved(
    data: TrainingSet, requests: Sequence[Request], models: Sequence[Fitted], answers: Answers
) -> NDArray[np.bool_]:
    """Return for each request (m,) whether it deletes a record of ``data`` and the model is the original all the same.

    ``models`` are the original and the last version of each request, ``answers`` (1 + m, n, C) what they answered. A
    model is the original if it is the same object or a network whose weights are equal to the bit. Others, such as a
    tree that was trained again and came out the same, are not called unmoved.
    """
    return np.array([
        bool(among(data.ids, request.forgotten).any())
        and _alike(answers[0], answered)  # few are, and a module may be made when it is first asked for
        and _same(models[0], model)
        for request, model, answered in zip(requests, models[1:], answers[1:], strict=True)
    ])  # fmt: skip


def _alike(one: Answers, other: Answers) -> bool:
    """Return whether log-posteriors are equal but for rounding: a module answers otherwise than a kernel does."""
    return bool(np.abs(np.exp(one) - np.exp(other)).max() <= ROUNDING)


def _same(one: Fitted, other: Fitted) -> bool:
    if one is other:
        return True
    return isinstance(one, HasModule) and isinstance(other, HasModule) and same_weights(one.module, other.module)
