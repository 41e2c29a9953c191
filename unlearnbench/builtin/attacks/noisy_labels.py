"""The base of label-only attacks that ask about noisy copies of a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from unlearnbench.core.attacks import ScoreAttack
from unlearnbench.core.observations import Needs, View
from unlearnbench.core.versions import Versions

Copies = Annotated[int, Field(ge=1)]
"""A number of noisy copies of each record, at each scale."""


@dataclass(frozen=True)
class NoisyLabelAttack(ScoreAttack):
    """Read which labels models give noisy copies. Subclasses must write only ``score``.

    ``copies``: of each record, at each scale
    """

    copies: Copies = 8

    versions: ClassVar[Versions] = "unlearned"

    @property
    def needs(self) -> Needs:
        """The answers of these models, the label, and copies."""
        return Needs(versions=self.versions, label=True, copies=self.copies)


def right(answers: NDArray[np.float64], view: View) -> NDArray[np.bool_]:
    """Return whether the true class of each row is the most probable one, answers (n, ..., C) -> (n, ...).

    Of equal ones the first counts.
    """
    label = view.label.reshape(-1, *[1] * (answers.ndim - 2))
    return np.asarray(answers.argmax(axis=-1) == label)
