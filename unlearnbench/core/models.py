"""The contract of target models: training, its seeds, and the posteriors of the trained model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.options import PLAIN, TrainingOption, TrainingOptions
from unlearnbench.core.records import Order, TrainingSet
from unlearnbench.core.seeding import SeedPath

SeedUse = Literal["init", "order", "noise"]
Engine = Literal["fast", "reference"]
"""How models are trained: by a kind's own ``fit_many``, or by its plain ``fit``, one after the other."""


@dataclass(frozen=True)
class Seeds:
    """The three sources of randomness of one training run, as 32-bit integers.

    An unlearned model may share ``init`` and ``order`` with its original, but never ``noise``.
    """

    init: int
    """Initial weights, bags, feature draws."""
    order: int
    """The order of the records."""
    noise: int
    """Noise that is added for privacy."""

    @classmethod
    def at(cls, path: SeedPath) -> Seeds:
        """Derive the seeds of the training run at ``path``."""
        return cls(*((path / purpose).seed() for purpose in ("init", "order", "noise")))

    def only(self, used: frozenset[SeedUse]) -> Seeds:
        """Return these seeds with the unused ones zeroed, so that equal runs compare equal."""
        unused: dict[str, int] = {name: 0 for name in ("init", "order", "noise") if name not in used}
        return replace(self, **unused)


@runtime_checkable
class Fitted(Protocol):
    """A trained model: any object with this method."""

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return natural-log class probabilities (n, n_classes), float64 and finite, for ``x`` (n, ...)."""
        ...


def check_fitted(model: object) -> None:
    """Raise TypeError for what is no trained model."""
    if not isinstance(model, Fitted):
        hint = "; a torch module goes into fitted.with_module(module)" if hasattr(model, "state_dict") else ""
        raise TypeError(f"a trained model must have log_posteriors(x), {type(model).__name__} has not{hint}")


@runtime_checkable
class HasPrivacy(Protocol):
    """A model trained with differential privacy."""

    @property
    def epsilon(self) -> float:
        """The privacy loss spent on its training set, at the delta of ``DPSGD``."""
        ...


@runtime_checkable
class HasRegions(Protocol):
    """A trained model that partitions the feature space into regions, such as the leaves of a tree."""

    def region(self, x: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the region (n,) each row of ``x`` falls in."""
        ...


@runtime_checkable
class Decremental(Protocol):
    """A trained model from which records can be taken out, and into which they can be put, without training."""

    def moved_to(self, data: TrainingSet) -> Fitted:
        """Return the model that training on ``data`` gives, up to rounding; UserError for an empty set."""
        ...


class StepLog(Protocol):
    """Follows the training of a network."""

    def __call__(self, ids: NDArray[np.int64], module: Any) -> None:
        """Take the ids (b,) of the batch of the step that was just taken, none before the first, and the network."""
        ...


@dataclass(frozen=True, eq=False)
class FitTask:
    """One model to train."""

    data: TrainingSet
    seeds: Seeds
    start: Fitted | None = None
    """The model to continue training from, for kinds of models that can (``continues``)."""
    options: TrainingOptions = PLAIN
    log: StepLog | None = None
    """What follows the training, for kinds of models that keep a log (``logs``); only ``fit`` is asked for one."""


class TargetModel(ABC):
    """A kind of model that can be trained. Authors must write only ``fit``."""

    seeds_used: ClassVar[frozenset[SeedUse]] = frozenset({"init", "order", "noise"})
    """The seeds that change the result. Training runs that differ only in other seeds are done once."""
    continues: ClassVar[bool] = False
    """Whether it can continue training from ``task.start``."""
    uses_device: ClassVar[bool] = False
    """Whether it runs on a GPU where there is one."""
    has_module: ClassVar[bool] = False
    """Whether its trained models have a torch module: see ``unlearnbench.HasModule``."""
    convolutional: ClassVar[bool | None] = None
    """Whether that module has convolutions; None where it depends on the network."""
    decremental: ClassVar[bool] = False
    """Whether records can be taken out of its trained models: see ``Decremental``."""
    logs: ClassVar[bool] = False
    """Whether ``fit`` calls ``task.log`` before the first step and after every one."""
    options: ClassVar[frozenset[TrainingOption]] = frozenset()
    """The training options that it supports; ``task.options`` never asks for others."""
    engine_revision: ClassVar[int] = 1
    """Raise it when a change to ``fit`` or ``fit_many`` changes results: stored ones are then computed again."""

    @property
    def orders(self) -> frozenset[Order]:
        """The deletion orders under which only the deleted record differs.

        A model whose random draws all change when a record is removed (such as a bootstrap over n rows) must leave out
        ``slot`` and ``compact``.
        """
        return frozenset({"slot", "compact", "fresh"})

    def refusal(self, shape: tuple[int, ...]) -> str | None:  # noqa: ARG002 - most kinds take records of any shape
        """Return why it cannot be trained on records of this shape, such as (8, 8, 1) or (30,), or None where it can.

        Cells are then skipped with that reason before anything is trained.
        """
        return None

    def has_fast_path(self, device: str) -> bool:  # noqa: ARG002 - most kinds have none on any device
        """Return whether ``fit_many`` is faster on this machine than one ``fit`` after the other."""
        return False

    @abstractmethod
    def fit(self, task: FitTask, device: str) -> Fitted:
        """Train one model on the features ``task.data.x`` (m, ...) and labels ``task.data.y`` (m,)."""

    def fit_many(self, tasks: Sequence[FitTask], device: str) -> Sequence[Fitted]:
        """Train many models and return them in the order of ``tasks``; override it if training together is faster.

        A model must be bitwise the same, whichever others are trained with it.
        """
        return [self.fit(task, device) for task in tasks]
