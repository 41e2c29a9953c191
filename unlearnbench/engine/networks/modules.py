"""The contract of trained models with a torch module: what methods need that train a network on or edit its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import Fitted

if TYPE_CHECKING:
    import torch


@runtime_checkable
class HasModule(Fitted, Protocol):
    """A trained model that is a torch module. A target model says by ``has_module`` that its trained models are.

    A method works on a copy, ``copy.deepcopy(fitted.module)``, which has the buffers too (such as running means), and
    returns ``fitted.with_module(copy)``. Whether the copy is in training or in evaluation mode is for the method to
    choose; ``module`` itself is in evaluation mode.
    """

    @property
    def module(self) -> torch.nn.Module:
        """Maps ``inputs`` to logits (n, n_classes), without dropout. It must not be changed."""
        ...

    @property
    def device(self) -> str:
        """Where ``module`` and ``inputs`` are: ``cpu``, ``cuda`` or ``mps``."""
        ...

    def inputs(self, x: NDArray[np.float64]) -> torch.Tensor:
        """Return records (n, ...) as ``module`` takes them: scaled as in training, float32, on the device."""
        ...

    def training_logits(
        self, module: torch.nn.Module, inputs: torch.Tensor, ids: NDArray[np.int64], seed: int, epoch: int
    ) -> torch.Tensor:
        """Return the logits (n, n_classes) that the model was trained on: those of ``module``, under its dropout.

        Training minimizes their mean cross-entropy. ``ids`` (n,) are the ids of the records. What dropout leaves out
        is drawn by a key of (``seed``, ``epoch``, id, unit), so it does not depend on the other records of a batch.
        """
        ...

    def blocks(self, module: torch.nn.Module) -> list[torch.nn.Module]:
        """Return the parts of ``module`` from input to output, such as its layers; each parameter is in one of them.

        ``module`` has the structure of the model's own. The last block ends in the logits.
        """
        ...

    def with_module(self, module: torch.nn.Module) -> HasModule:
        """Return a model with the same inputs and another module of the same structure."""
        ...


def children_with_state(module: torch.nn.Module) -> list[torch.nn.Module]:
    """Return the direct children that have parameters or buffers, in the order in which they were added."""
    return [child for child in module.children() if child.state_dict()]


def trains_as_it_answers(fitted: HasModule) -> bool:
    """Return whether ``training_logits`` are the module's own, so without dropout: a model says so by this name."""
    return bool(getattr(fitted, "trains_as_it_answers", False))
