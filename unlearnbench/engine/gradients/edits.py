"""The base of methods that compute the weights of all unlearned networks at once: nothing is trained."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from unlearnbench.core.models import Fitted
from unlearnbench.engine.devices import repeatable
from unlearnbench.engine.gradients.edited import Edited
from unlearnbench.engine.gradients.train import require_finite
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, has_module, of_a_retraining, of_one_model
from unlearnbench.engine.guards import guard_deletions
from unlearnbench.engine.networks.modules import HasModule
from unlearnbench.engine.unlearners import Deletion

if TYPE_CHECKING:
    import torch


class WeightEdit(GradientUnlearner):
    """A method that trains nothing and adds to all weights, of several networks at once. Authors write ``steps``."""

    @abstractmethod
    def steps(self, deletions: Sequence[Deletion]) -> torch.Tensor:
        """Return what is added to the weights (deletions, P) for deletions that unlearn from one model.

        A row holds the numbers of all parameters, one behind the other. It must not depend on the other deletions.
        """

    @repeatable()
    def unlearn_all(self, deletions: Sequence[Deletion]) -> list[Fitted]:
        """Serve deletions of one original. One that moves no weight returns the very model that it was given."""
        guarded, served = guard_deletions(deletions, self.access), dict[int, Fitted]()
        for group in of_one_model(deletions):
            steps = self.steps([guarded[k] for k in group])
            served.update(zip(group, moved(has_module(deletions[group[0]].fitted), steps), strict=True))
        return [served[k] for k in range(len(deletions))]

    def record_passes(self, deletion: Deletion) -> float:
        """Return of how many records gradients are computed, over those of a retraining."""
        return of_a_retraining(self.records_read(deletion), deletion)


def moved(fitted: HasModule, steps: torch.Tensor) -> list[HasModule]:
    """Return a model for each step (P,), of this one's weights and the step; this one where no weight moves.

    UserError where weights overflow.
    """
    import torch

    own = torch.cat([each.detach().flatten() for each in fitted.module.parameters()])
    weights = own + steps
    require_finite(weights)
    return [fitted if torch.equal(row, own) else Edited(fitted, row) for row in weights.unbind()]
