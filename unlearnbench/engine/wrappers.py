"""A kind of model as a training-stage defense wants it trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unlearnbench.core.models import FitTask, Fitted, SeedUse, TargetModel
from unlearnbench.core.options import TrainingOptions
from unlearnbench.core.records import Order


class WithTrainingOptions(TargetModel):
    """A kind of model that is handed these options with every task."""

    def __init__(self, model: TargetModel, options: TrainingOptions) -> None:
        self._model = model
        self._options = options

    @property
    def seeds_used(self) -> frozenset[SeedUse]:  # type: ignore[override] # told by the model and the options
        """The seeds that the model uses, and for noise the one that no two models share."""
        noise: frozenset[SeedUse] = frozenset({"noise"} if self._options.dp else ())
        return self._model.seeds_used | noise

    @property
    def continues(self) -> bool:  # type: ignore[override] # told by the model, not by this class
        """Whether the model can go on training."""
        return self._model.continues

    @property
    def orders(self) -> frozenset[Order]:
        """The orders that the model can honour."""
        return self._model.orders

    def has_fast_path(self, device: str) -> bool:
        """Say what the model says."""
        return self._model.has_fast_path(device)

    def fit(self, task: FitTask, device: str) -> Fitted:
        """Train one model."""
        return self._model.fit(self._with_options(task), device)

    def fit_many(self, tasks: Sequence[FitTask], device: str) -> Sequence[Fitted]:
        """Train many models."""
        return self._model.fit_many([self._with_options(task) for task in tasks], device)

    def _with_options(self, task: FitTask) -> FitTask:
        return replace(task, options=self._options)
