"""The augmentation attack: how many noisy copies keep the label (label-only; Choquette-Choo et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.noisy_labels import NoisyLabelAttack, right
from unlearnbench.core.copies import SCALES
from unlearnbench.core.errors import UserError
from unlearnbench.core.observations import View
from unlearnbench.core.versions import Versions


@dataclass(frozen=True)
class Augmentation(NoisyLabelAttack):
    """Score the share of a record's noisy copies that the unlearned model gives the record's label.

    Choquette-Choo et al. 2021 (arXiv 2007.14321) shift and rotate images and learn from the single answers; here copies
    are noisy, since records of any kind have those, and their share is the score. Higher means that the model still
    knows the record.

    ``copies``: of each record

    ``scale``: standard deviation of the noise, over that of each feature
    """

    scale: float = 0.2

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise UserError(f"scale: must be one of {', '.join(map(str, SCALES))}, got {self.scale}")

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the share (n,)."""
        return self.share(view.copies.after, view)

    def share(self, answers: NDArray[np.float64], view: View) -> NDArray[np.float64]:
        """Return the share (n,) of right answers (n, K, S, C) at the scale."""
        return np.asarray(right(answers[:, :, SCALES.index(self.scale)], view).mean(axis=1))


@dataclass(frozen=True)
class AugmentationFall(Augmentation):
    """Score by how much the share of ``augmentation`` falls from the original to the unlearned model.

    ``copies``: of each record

    ``scale``: standard deviation of the noise, over that of each feature
    """

    versions: ClassVar[Versions] = "both"

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the fall (n,)."""
        return self.share(view.copies.before, view) - self.share(view.copies.after, view)
