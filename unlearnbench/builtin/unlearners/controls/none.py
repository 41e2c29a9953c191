"""No unlearning at all: a control row that is perfect against deletion inference and worst at forgetting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from unlearnbench.core.models import Fitted
from unlearnbench.engine.unlearners import Deletion, FunctionUnlearner
from unlearnbench.hooks.records import Seen


@dataclass(frozen=True)
class NoUnlearning(FunctionUnlearner):
    """Keep the original model and call it unlearned."""

    sees: ClassVar[tuple[Seen, ...]] = ()

    def unlearn(self, deletion: Deletion) -> Fitted:
        """Return the original."""
        return deletion.fitted

    def record_passes(self, deletion: Deletion) -> float:
        """Return 0: nothing is trained."""
        return 0.0
