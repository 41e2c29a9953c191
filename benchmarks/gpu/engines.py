"""Every engine path on the device and on a CPU: training, and the answers of one network on both."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from gpu.comparing import Row, Way, ask, compare
from gpu.parts import Case, Part
from gpu.setting import Setting, images, table, tasks
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.models.simple_cnn.model import SimpleCNN
from unlearnbench.core.models import FitTask, Fitted, TargetModel
from unlearnbench.core.options import DPSGD, PLAIN, TrainingOptions
from unlearnbench.core.records import Records
from unlearnbench.engine.networks.torch_model import TorchModel

if TYPE_CHECKING:
    import torch

Engine = Literal["fit", "fit_many"]
DROPOUT = TrainingOptions(dropout=0.5)
PRIVATE = TrainingOptions(dp=DPSGD(noise_multiplier=1.0, clip=1.0, delta=1e-5))


@dataclass(frozen=True)
class Normalized(TorchModel):
    """A network as users write them: two linear layers and a layer normalization."""

    def network(self, shape: tuple[int, ...], n_classes: int) -> torch.nn.Module:
        """Return the untrained network."""
        from torch import nn

        return nn.Sequential(nn.Linear(shape[0], 64), nn.LayerNorm(64), nn.ReLU(), nn.Linear(64, n_classes))


@dataclass(frozen=True)
class Subject:
    """A kind of model, and what it is trained on."""

    model: TargetModel
    records: Records
    n: int
    """Records of the training set; the others are only asked about."""
    options: TrainingOptions = PLAIN

    def tasks(self, k: int) -> Sequence[FitTask]:
        """Return ``k`` trainings, each without another record."""
        return tasks(self.records, self.n, k, self.options)


def subjects(setting: Setting) -> dict[str, Subject]:
    """Return each kind of network, by name."""
    size = setting.size
    rows, pictures = table(2 * size.records), images(2 * size.images, size.side, 1)
    mlp, cnn = MLP(hidden=(64, 32), epochs=size.epochs), SimpleCNN(epochs=1)
    return {
        "mlp 64-32": Subject(mlp, rows, size.records),
        "mlp 64-32, one epoch": Subject(replace(mlp, epochs=1), rows, size.records),
        "mlp 64-32, dropout": Subject(mlp, rows, size.records, DROPOUT),
        "mlp 64-32, DP-SGD": Subject(replace(mlp, epochs=1), rows, size.records, PRIVATE),
        "simple-cnn": Subject(cnn, pictures, size.images),
        "simple-cnn, bf16": Subject(replace(cnn, precision="bf16"), pictures, size.images),
        "TorchModel": Subject(Normalized(epochs=size.epochs), rows, size.records),
        "TorchModel, bf16": Subject(Normalized(epochs=size.epochs, precision="bf16"), rows, size.records),
    }


def training_cases(setting: Setting) -> Mapping[str, Case]:
    """Return a case for each kind and engine."""
    engines: tuple[Engine, ...] = ("fit", "fit_many")
    return {
        f"{name}, {engine}": partial(_training, subject, engine, setting)
        for name, subject in subjects(setting).items()
        for engine in engines
        if engine == "fit" or subject.model.has_fast_path(setting.device)
    }


def query_cases(setting: Setting) -> Mapping[str, Case]:
    """Return a case for each kind."""
    return {name: partial(_query, subject, setting) for name, subject in subjects(setting).items()}


def train(model: TargetModel, todo: Sequence[FitTask], engine: Engine, device: str) -> Callable[[], Sequence[Fitted]]:
    """Return what trains these networks by one engine."""
    if engine == "fit_many":
        return lambda: model.fit_many(todo, device)
    return lambda: [model.fit(task, device) for task in todo]


def _training(subject: Subject, engine: Engine, setting: Setting) -> Row:
    todo = subject.tasks(setting.size.few)
    here, there = (Way(train(subject.model, todo, engine, d), len(todo)) for d in (setting.device, "cpu"))
    return compare(here, there, ask(subject.records.x))


def _query(subject: Subject, setting: Setting) -> Row:
    """Ask one network, trained on the device, here and there."""
    (task,) = subject.tasks(1)
    fitted = subject.model.fit(task, setting.device)
    here, there = (ask(subject.records.x) for _ in range(2))
    moved = on_cpu(fitted)
    return compare(Way(lambda: here([fitted]), 1), Way(lambda: there([moved]), 1), lambda answers: answers)


def on_cpu(fitted: Any) -> Fitted:
    """Return a copy of a network of torch that answers on a CPU."""
    moved: Fitted = replace(fitted, module=copy.deepcopy(fitted.module).to("cpu"), device="cpu")
    return moved


PARTS = (
    Part(
        "training",
        "Training by each engine, and the answers of what was trained. `fit` trains one network after the other, "
        "`fit_many` is the fast path. After many steps two devices agree only as two processors would.",
        ("{device}", "cpu"),
        training_cases,
    ),
    Part(
        "queries",
        "One network, trained on the device, asked about twice as many records as it was trained on.",
        ("{device}", "cpu"),
        query_cases,
    ),
)
