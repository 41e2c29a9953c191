"""RUM: the forget set in groups by how well they are memorised, each forgotten by a method of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, NonNegativeInt

from unlearnbench.builtin.scenarios.memorised import NEAR, memorisation
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.builtin.unlearners.gradient.neggrad_plus import NegGradPlus
from unlearnbench.builtin.unlearners.gradient.random_label import RandomLabel
from unlearnbench.builtin.unlearners.gradient.salun import SalUn
from unlearnbench.core.models import Fitted, TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.records import TrainingSet, among
from unlearnbench.core.strata import Candidates
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.engine.unlearners import Deletion, FunctionUnlearner
from unlearnbench.hooks.records import Seen

Method = Literal["none", "finetune", "neggrad-plus", "random-label", "salun"]
METHODS: Final[dict[str, Callable[..., GradientUnlearner]]] = {
    "finetune": Finetune,
    "neggrad-plus": NegGradPlus,
    "random-label": RandomLabel,
    "salun": SalUn,
}
MODELS: Final = 16
"""Of the bank that measures memorisation."""
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class RUM(FunctionUnlearner):
    """Forget records of low, middle and high memorisation one after the other, each group by its own method.

    A record is of the group whose level, 0, 0.5 or 1, its score is nearest to. Score ``memorisation`` is that of the
    scenario ``memorised``, by a bank of 16 models, each on half of the original's records; it is trained once for an
    original and not counted. Score ``confidence`` is 1 less the original's posterior of the true class, a proxy. Groups
    that are still to be forgotten are retained until then; an empty one is passed over, so with nothing to forget the
    network stays. For the bank a record that the original is not trained on is of low memorisation. Methods have their
    defaults but for step size and epochs. Source: Zhao et al. 2024, arXiv 2406.01257, order, retain sets and values of
    the code; there a group is a third of a forget set that was made of three.

    ``score``: what records are grouped by

    ``methods``: of the groups of low, middle and high memorisation

    ``epochs``: of each of them

    ``learning_rate``: step size of all
    """

    score: Literal["memorisation", "confidence"] = "confidence"
    methods: tuple[Method, Method, Method] = ("none", "finetune", "salun")
    epochs: tuple[NonNegativeInt, NonNegativeInt, NonNegativeInt] = (0, 10, 5)
    learning_rate: NonNegativeFloat = 0.1

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "labels")

    def refusal(self, model: TargetModel) -> str | None:
        """Refuse what the methods refuse."""
        return Finetune().refusal(model)

    def precompute(self, original: Original) -> Scores | None:
        """Return the memorisation of all records of the data set, NaN where the original is not trained on them."""
        if self.score == "confidence":
            return None
        ids, scores = np.sort(original.data.ids), np.full(len(original.data.records), np.nan)
        scores[ids] = memorisation(Candidates(original.data.records, ids, original), MODELS, original.seeds / "rum")
        return scores

    def unlearn(self, deletion: Deletion) -> Fitted:
        """Serve one deletion."""
        return self.unlearn_all([deletion])[0]

    def unlearn_all(self, deletions: Sequence[Deletion]) -> list[Fitted]:
        """Forget the first group of all deletions, then the second, then the third."""
        fitted = [deletion.fitted for deletion in deletions]
        of_each = [self._parts(deletion) for deletion in deletions]
        for k, method in enumerate(self._methods()):
            due = [i for i, parts in enumerate(of_each) if method and len(parts[k].forget)]
            parts = [replace(of_each[i][k], fitted=fitted[i]) for i in due]
            for i, served in zip(due, method.unlearn_all(parts) if method else (), strict=True):
                fitted[i] = served
        return fitted

    def record_passes(self, deletion: Deletion) -> float:
        """Return the passes of the methods together, over those of a retraining without all groups."""
        pairs = zip(self._methods(), self._parts(deletion), strict=True)
        return sum(
            method.record_passes(part) * len(part.retain) / max(len(deletion.retain), 1)
            for method, part in pairs
            if method and len(part.forget)
        )

    def _methods(self) -> list[GradientUnlearner | None]:
        pairs = zip(self.methods, self.epochs, strict=True)
        return [
            None if name == "none" else METHODS[name](epochs=epochs, learning_rate=self.learning_rate)
            for name, epochs in pairs
        ]

    def _parts(self, deletion: Deletion) -> list[Deletion]:
        """Return the deletion of each group, from the model before."""
        groups = self.groups(deletion)
        left = [np.concatenate([np.empty(0, np.int64), *groups[k + 1 :]]) for k in range(len(groups))]
        return [
            replace(
                deletion,
                forget=TrainingSet.of(deletion.forget.records, group),
                retain=_with(deletion.retain, later),
                seeds=deletion.seeds / k,
                precomputed=None,
            )
            for k, (group, later) in enumerate(zip(groups, left, strict=True))
        ]

    def groups(self, deletion: Deletion) -> list[NDArray[np.int64]]:
        """Return the ids of the forget set in the three groups."""
        ids = deletion.forget.kept_ids
        scores = self._confidence(deletion) if deletion.precomputed is None else deletion.precomputed[ids]
        level = np.abs(np.nan_to_num(scores, nan=0.0)[:, np.newaxis] - [*NEAR.values()]).argmin(axis=1)
        return [ids[level == k] for k in range(len(NEAR))]

    def _confidence(self, deletion: Deletion) -> Scores:
        forget = deletion.forget
        if not len(forget):
            return np.empty(0)
        posteriors = np.exp(deletion.original.fitted.log_posteriors(forget.x))
        return np.asarray(1 - posteriors[np.arange(len(forget)), forget.y])


def _with(data: TrainingSet, ids: NDArray[np.int64]) -> TrainingSet:
    """Return a training set in which the masked records ``ids`` are back in their slots."""
    return replace(data, mask=data.mask | among(data.ids, ids))
