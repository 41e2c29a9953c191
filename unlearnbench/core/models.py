"""The contract of target models: what is trained, with which seeds, and what it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Protocol, runtime_checkable

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

    ``init``: initial weights, bags, feature draws · ``order``: which record comes when · ``noise``: noise that is
    added for privacy. An unlearned model may share the first two with its original, never the third.
    """

    init: int
    order: int
    noise: int

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
    """A trained model. Anything with this one method is one."""

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return natural-log class probabilities (n, n_classes), float64 and finite, for ``x`` (n, ...)."""
        ...


@runtime_checkable
class HasPrivacy(Protocol):
    """A model trained with differential privacy."""

    @property
    def epsilon(self) -> float:
        """The privacy loss spent on its training set, at the delta of ``DPSGD``."""
        ...


@runtime_checkable
class HasRegions(Protocol):
    """A trained model that cuts the feature space into regions, such as the leaves of a tree."""

    def region(self, x: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the region (n,) each row of ``x`` falls in."""
        ...


@dataclass(frozen=True, eq=False)
class FitTask:
    """One model to train: on what, with which seeds, for models that continue, from where, and how else."""

    data: TrainingSet
    seeds: Seeds
    start: Fitted | None = None
    options: TrainingOptions = PLAIN


class TargetModel(ABC):
    """A kind of model that can be trained. ``fit`` is all an author must write.

    ``seeds_used`` says which seeds change the result: runs that differ only in others are trained once. ``orders``
    says which deletion orders the model can honour: one whose draws all move when a record goes (a bootstrap over
    n rows, say) must leave out ``slot`` and ``compact``. ``continues`` is True for models that can go on training
    from ``task.start``. ``uses_device`` is True for models that run on a GPU where there is one. ``options`` are those
    of ``task.options`` that the kind knows; it is never handed others.
    """

    seeds_used: ClassVar[frozenset[SeedUse]] = frozenset({"init", "order", "noise"})
    continues: ClassVar[bool] = False
    uses_device: ClassVar[bool] = False
    options: ClassVar[frozenset[TrainingOption]] = frozenset()

    @property
    def orders(self) -> frozenset[Order]:
        """The deletion orders under which only the deleted record differs."""
        return frozenset({"slot", "compact", "fresh"})

    def has_fast_path(self, device: str) -> bool:  # noqa: ARG002 - most kinds have none on any device
        """Say whether ``fit_many`` does better on this machine than one ``fit`` after the other."""
        return False

    @abstractmethod
    def fit(self, task: FitTask, device: str) -> Fitted:
        """Train one model on ``task.data`` (``.x``, ``.y`` hold what may be learned from)."""

    def fit_many(self, tasks: Sequence[FitTask], device: str) -> Sequence[Fitted]:
        """Train many models, in the order of ``tasks``; override it where training them together is faster.

        A model must come out the same, bitwise, whichever others are trained with it.
        """
        return [self.fit(task, device) for task in tasks]
