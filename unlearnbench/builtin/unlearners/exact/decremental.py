"""Exact unlearning of models that are sums over their records: subtract the forgotten ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from unlearnbench.core.models import Decremental, Fitted, TargetModel
from unlearnbench.engine.unlearners import Deletion, FunctionUnlearner
from unlearnbench.hooks.records import Seen


@dataclass(frozen=True)
class DecrementalUnlearning(FunctionUnlearner):
    """Take the forgotten records out of what the model keeps of its records, and put added ones in.

    The result is that of training without them: to the bit for ``nearest-neighbours``, which keeps the records, and to
    rounding for ``naive-bayes`` and ``ridge``, which keep sums. Goes with models that are ``decremental``. Source: Cao
    and Yang, S&P 2015, doi 10.1109/SP.2015.35.
    """

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "labels")

    def refusal(self, model: TargetModel) -> str | None:
        """Refuse models from which no record can be taken out."""
        return None if model.decremental else f"{type(model).__name__} must be trained again to forget a record"

    def unlearn(self, deletion: Deletion) -> Fitted:
        """Move the model to the retain set."""
        if not isinstance(deletion.fitted, Decremental):
            raise TypeError(f"{type(deletion.fitted).__name__} has no moved_to(data)")
        return deletion.fitted.moved_to(deletion.retain)

    def record_passes(self, deletion: Deletion) -> float:
        """Return the size of the forget set over that of the retain set, of which training reads each record once."""
        return len(deletion.forget) / max(len(deletion.retain), 1)
