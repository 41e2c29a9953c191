"""Delta: the largest rise of a record's loss from one version to the next (Jagielski et al. 2022, arXiv 2205.06369)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.attacks import ScoreAttack
from unlearnbench.core.observations import Needs, View


@dataclass(frozen=True)
class Delta(ScoreAttack):
    """Score the largest l_i - l_(i-1) over the versions i, where l is the cross-entropy of the true class.

    The largest rise also shows which version deleted the record. With one unlearned version it equals ``score-diff``.
    """

    needs: ClassVar[Needs] = Needs(label=True)

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the largest rise (n,) of the loss between consecutive versions."""
        return np.asarray(self.rises(view).max(axis=1))

    def rises(self, view: View) -> NDArray[np.float64]:
        """Return the rise of the loss in each version (n, V); minus infinity for versions that a request lacks."""
        answers = np.concatenate([view.before[:, None], view.after_each], axis=1)
        true = np.take_along_axis(answers, view.label[:, None, None], axis=2)[:, :, 0]
        late = np.arange(answers.shape[1] - 1) >= view.versions[:, None]
        return np.where(late, -np.inf, true[:, :-1] - true[:, 1:])
