"""Networks to unlearn from, for the tests of gradient methods."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.core.models import Fitted, TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Provenance, Records, Step, TrainingSet
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.jobs import Tables
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.engine.networks.modules import HasModule
from unlearnbench.engine.networks.torch_model import TorchModel
from unlearnbench.engine.unlearners import Deletion, FunctionUnlearner


def made_up(n: int = 90, n_classes: int = 3) -> Records:
    rng = np.random.default_rng(0)
    y = np.arange(n) % n_classes
    x = rng.normal(size=(n, 4)) + rng.normal(size=(n_classes, 4))[y]
    return Records("made up", x, y, n_classes, Provenance("made up", "public domain"), bounds=(-8, 8))


@dataclass(frozen=True)
class Case:
    """An original network of sixty records, and deletions from it."""

    model: TargetModel
    records: Records

    size: int = 60
    """How many records the original is trained on."""
    validation: int = 0
    """How many records are for validation, the next ones."""

    def original(self) -> Original:
        data, validation = TrainingSet.of(self.records, range(self.size)), self.size + np.arange(self.validation)
        return Original(self.model, data, SeedPath(0), engine="reference", validation_ids=validation)

    def deletions(self, method: FunctionUnlearner, forget: Sequence[Sequence[int]]) -> list[Deletion]:
        state = method.prepare(self.original())
        return [state.deletion(Step(np.array(ids, dtype=np.int64)), SeedPath(1) / r) for r, ids in enumerate(forget)]

    def unlearn(self, method: FunctionUnlearner, *forget: Sequence[int]) -> list[Fitted]:
        return list(method.unlearn_all(self.deletions(method, forget)))


def weights(fitted: Fitted) -> NDArray[np.float32]:
    """Return all parameters of a network, one behind the other."""
    assert isinstance(fitted, HasModule)
    return np.concatenate([each.detach().numpy().ravel() for each in fitted.module.parameters()])


NETWORK = Case(MLP(hidden=(8, 5), epochs=3, batch_size=16), made_up())
LINEAR = Case(MLP(hidden=(), epochs=3, batch_size=16), made_up())
"""A network without hidden layers: softmax regression."""


@dataclass(frozen=True)
class Convolves(TorchModel):
    """Two convolutions, one of them in a block with batch normalization, and a linear layer; images of 2 x 2 pixels."""

    def network(self, shape: tuple[int, ...], n_classes: int) -> torch.nn.Module:
        from torch import nn

        block = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU())
        first = nn.Conv2d(1, 3, 3, padding=1)
        return nn.Sequential(
            nn.Unflatten(1, (1, 2, 2)), first, nn.ReLU(), block, nn.Flatten(), nn.Linear(16, n_classes)
        )


CONVOLUTIONAL = Case(Convolves(epochs=2, batch_size=16), made_up(), validation=20)


def batch_of(
    logits: Sequence[Sequence[float]],
    original: Sequence[Sequence[float]],
    labels: Sequence[int],
    forget: Sequence[int] = (),
) -> Batch:
    """Return a batch of the first records, with these logits of the network and of the original (n, C)."""
    records = replace(NETWORK.records, y=np.array([*labels, *NETWORK.records.y[len(labels) :]]))
    (deletion,) = Case(NETWORK.model, records).deletions(NoMethod(), [forget])
    (job,), ids = NoMethod()._jobs([deletion]), np.arange(len(labels))
    tables = Tables([job])
    answers = torch.zeros(len(tables.ids), len(original[0]))
    answers[: len(labels)] = torch.tensor(original)
    tables.take_answers(job.teachers["original"], answers)
    return Batch(torch.tensor(logits, requires_grad=True), ids[None], [job], tables, 0)


class NoMethod(GradientUnlearner):
    """Does nothing."""


def known(name: str) -> dict[str, Any]:
    """Return a known answer: values that were computed from the authors' code."""
    answers: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "known_answers.json").read_text("utf-8"))
    return answers[name]


def gradient(fitted: Fitted, records: Records, ids: Sequence[int]) -> NDArray[np.float64]:
    """Return the gradient of the mean cross-entropy of softmax regression, weights (C, d) before biases (C,)."""
    assert isinstance(fitted, HasModule)
    x = fitted.inputs(records.x[ids]).numpy()
    error = np.exp(fitted.log_posteriors(records.x[ids])) - np.eye(records.n_classes)[records.y[ids]]
    return np.concatenate([(error.T @ x / len(x)).ravel(), error.mean(axis=0)])
