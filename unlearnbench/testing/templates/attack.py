"""An attack on machine unlearning: my-method."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from unlearnbench import AttackPlugin, Needs, ScoreAttack, View, hookimpl


@dataclass(frozen=True)
class MyMethod(ScoreAttack):
    """Score a record by the rise of the loss of its true class: log p_before(y) - log p_after(y), in nats.

    ``limit``: largest rise that is counted
    """

    limit: float = 10.0
    needs: ClassVar[Needs] = Needs(versions="both", label=True)

    def score(self, view: View) -> NDArray[np.float64]:
        """Return one score (n,) per row; higher means "deleted"."""
        rows = np.arange(len(view))
        rise = view.before[rows, view.label] - view.after[rows, view.label]
        return np.minimum(rise, self.limit)


@hookimpl
def unlearnbench_attacks() -> Iterator[AttackPlugin]:
    """Yield the attack. Raise ``revision`` whenever its results change."""
    yield AttackPlugin(
        name="my-method",
        summary="The rise of the loss of the true class",
        factory="my_module:MyMethod",
        reference="",
        revision=1,
        label=True,
    )
