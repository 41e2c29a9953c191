"""The reference engine: every model by its plain ``fit``, one at a time, to check the fast paths against."""

from __future__ import annotations

from unlearnbench.core.models import FitTask, Fitted, SeedUse, TargetModel
from unlearnbench.core.records import Order


class WithoutFastPath(TargetModel):
    """A kind of model without its ``fit_many``."""

    def __init__(self, model: TargetModel) -> None:
        self._model = model

    @property
    def seeds_used(self) -> frozenset[SeedUse]:  # type: ignore[override] # told by the model, not by this class
        """The seeds that the model uses."""
        return self._model.seeds_used

    @property
    def continues(self) -> bool:  # type: ignore[override] # told by the model, not by this class
        """Whether the model can go on training."""
        return self._model.continues

    @property
    def orders(self) -> frozenset[Order]:
        """The orders that the model can honour."""
        return self._model.orders

    def fit(self, task: FitTask, device: str) -> Fitted:
        """Train one model."""
        return self._model.fit(task, device)
