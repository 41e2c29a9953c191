"""A multilayer perceptron: the reference is a plain loop on tensors, the fast path a compiled kernel."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from unlearnbench.builtin.models.batches import batches
from unlearnbench.builtin.models.mlp_courses import Courses
from unlearnbench.builtin.models.scaling import Scaler, Standardizer
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Fitted, SeedUse, TargetModel
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.engine.banks import Member
from unlearnbench.engine.jit import usable
from unlearnbench.engine.mlp import Network, in_threads, trained
from unlearnbench.engine.mlp_bank import MLPBank
from unlearnbench.engine.mlp_init import initial_layers
from unlearnbench.engine.mlp_layout import Layers, unpack
from unlearnbench.engine.mlp_update import Rule
from unlearnbench.engine.sklearn_model import training_table

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class FittedMLP:
    """A trained network. ``module`` maps standardized float32 rows (n, d), see ``inputs``, to logits (n, n_classes)."""

    module: torch.nn.Sequential
    standardizer: Standardizer
    device: str

    def inputs(self, x: NDArray[np.float64]) -> torch.Tensor:
        """Return records (n, ...) as ``module`` takes them, on its device; scaled in float64, then rounded."""
        import torch

        return torch.from_numpy(self.standardizer(x).astype(np.float32)).to(self.device)

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return float64 log-posteriors (n, n_classes) of the network's float32 logits."""
        import torch

        with torch.no_grad():
            return log_softmax(self.module(self.inputs(x)).cpu().numpy())

    def with_module(self, module: torch.nn.Sequential) -> FittedMLP:
        """Return this model with another network behind the same scaler."""
        return replace(self, module=module)


@dataclass(frozen=True, eq=False)
class FastMLP(Member):
    """A network that the kernel trained. Its torch twin is made when it is asked for and gives the same to 1e-6."""

    bank: MLPBank

    @property
    def layers(self) -> Layers:
        """Weights (out, in) and biases (out,) of each linear layer; copies."""
        return unpack(*self.bank.networks[self.index])

    @property
    def standardizer(self) -> Standardizer:
        """What scales the features."""
        standardizer = self.bank.standardizers[self.index]
        assert isinstance(standardizer, Standardizer)  # noqa: S101 - for the type checker; we put it there
        return standardizer

    @cached_property
    def as_torch(self) -> FittedMLP:
        """The same network as torch has it, on the CPU."""
        return FittedMLP(module_of(self.layers), self.standardizer, "cpu")

    @property
    def module(self) -> torch.nn.Sequential:
        """The network as a module, as in :class:`FittedMLP`; changing it does not change this model."""
        return self.as_torch.module

    def inputs(self, x: NDArray[np.float64]) -> torch.Tensor:
        """Return records (n, ...) as ``module`` takes them."""
        return self.as_torch.inputs(x)

    def with_module(self, module: torch.nn.Sequential) -> FittedMLP:
        """Return a torch model with this network behind the same scaler."""
        return self.as_torch.with_module(module)


def network(widths: Sequence[int], seed: int) -> torch.nn.Sequential:
    """Return linear layers between ``widths`` with ReLU in between, as :func:`initial_layers` draws them."""
    return module_of(initial_layers(widths, seed))


def module_of(layers: Layers) -> torch.nn.Sequential:
    """Return linear layers of these weights with ReLU in between, on the CPU."""
    import torch
    from torch.nn.utils import skip_init

    modules: list[torch.nn.Module] = []
    for weight, bias in layers:
        fan_out, fan_in = weight.shape
        linear = skip_init(torch.nn.Linear, fan_in, fan_out)  # type: ignore[no-untyped-call]  # torch has no type for it
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight))
            linear.bias.copy_(torch.from_numpy(bias))
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def layers_of(module: torch.nn.Sequential) -> Layers | None:
    """Return the layers of a module as :func:`module_of` makes them, or None of another kind of module."""
    import torch

    linear = [each for each in module if isinstance(each, torch.nn.Linear)]
    if [type(each) for each in module] != ([torch.nn.Linear, torch.nn.ReLU] * len(linear))[:-1]:
        return None
    pairs = [(each.weight.detach().cpu().numpy(), each.bias.detach().cpu().numpy()) for each in linear]
    return [(weight.astype(np.float32), bias.astype(np.float32)) for weight, bias in pairs]


@dataclass(frozen=True)
class MLP(TargetModel):
    """A multilayer perceptron with ReLU on standardized features, trained with cross-entropy in float32.

    ``init`` seeds the initial weights, ``order`` the batches. Each epoch sorts the places of all records by a draw
    keyed by (``order`` seed, epoch, record) and cuts them into batches:

    - ``slot``: the deleted record keeps its place and its batch is one shorter; the loss is the mean over the records
      that are there, so the others in that batch weigh a little more. A batch left empty is no optimizer step. All
      other batches stay as they were.
    - ``compact``: the record is gone and every record behind it moves one place up, in every epoch: nearly all
      batches change by a record, and the number of steps may drop by one.
    - ``fresh``, or ``init: fresh``: another training run.

    With ``batch_size`` >= n, slot and compact are the same. Records added by a request take places of their own, so
    they move others whatever the order.

    Training goes on from ``task.start`` (slices of SISA): its weights and its scaler stay, the optimizer starts anew,
    as its moments belong to the records seen before. ``init`` is then unused. Bitwise repeatable on a CPU: the
    reference at a fixed number of threads, the fast path at any.

    Needs no second class. UserError where the weights overflow. A network may also die quietly: with Adam at 0.05,
    the paper's code's rate, accuracy on digits falls from .97 to between .21 and .68 and many records get one and the
    same posterior. And training amplifies any difference: at the default widths, a change of 1e-6 in the initial
    weights moves posteriors about as much as one deletion does (at widths 64 and 32, a third as much), so models from
    two engines or two machines are not to be compared.

    Source: Chen et al., CCS 2021, code: widths, ReLU, Adam, batches of 64, one epoch; learning rate, number of epochs
    and standardization are ours.

    ``hidden``: widths of the hidden layers

    ``epochs``: passes over the records, of each training stage

    ``batch_size``: records of a batch

    ``optimizer``: adam, or sgd without momentum, which needs a learning rate of about 0.1

    ``learning_rate``: step size

    ``weight_decay``: L2 factor, added to the gradient

    ``scaler``: whose statistics scale an unlearned model's features: the original's training set or its own records
    """

    hidden: tuple[PositiveInt, ...] = (256, 128, 64, 32)
    epochs: PositiveInt = 10
    batch_size: PositiveInt = 64
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: PositiveFloat = 1e-3
    weight_decay: NonNegativeFloat = 0.0
    scaler: Scaler = "original"

    seeds_used: ClassVar[frozenset[SeedUse]] = frozenset({"init", "order"})
    continues: ClassVar[bool] = True
    uses_device: ClassVar[bool] = True

    def fit(self, task: FitTask, device: str) -> FittedMLP:
        """Train one network, from scratch or from a copy of ``task.start``."""
        fitted = self._begin(task, device)
        self._train(fitted, task)
        return fitted

    def has_fast_path(self, device: str) -> bool:
        """Say yes on the CPU, where numba is there."""
        return device == "cpu" and usable()

    def fit_many(self, tasks: Sequence[FitTask], device: str) -> Sequence[Fitted]:
        """Train networks one at a time in compiled code; see :mod:`unlearnbench.engine.mlp`.

        Same start, same batches, other roundings: posteriors agree with those of :meth:`fit` to 1e-6 after one epoch,
        and after many as two processors would. Left to :meth:`fit` are other devices than the CPU, machines without
        numba, and calls of which a task goes on from a module of another build.
        """
        starts = [_layers_to_start_from(task.start) for task in tasks]
        if not self.has_fast_path(device) or any(start is None for start in starts):
            return super().fit_many(tasks, device)
        courses, rule = (
            Courses(self.epochs, self.scaler),
            Rule(self.optimizer == "adam", self.learning_rate, self.weight_decay),
        )

        def train(place: int) -> tuple[Network, Standardizer]:
            task, start = tasks[place], starts[place]
            standardizer = _network_behind(task.start).standardizer if task.start else courses.standardizer(task.data)
            layers = start or self._first_layers(task)
            network = trained(courses.course(task, layers, standardizer), rule, self.batch_size)
            self._check(bool(np.isfinite(network.parameters).all()))
            return network, standardizer

        done = in_threads(train, range(len(tasks)))
        bank = MLPBank(*(tuple(part) for part in zip(*done, strict=True))) if done else MLPBank((), ())
        return [FastMLP(bank, index) for index in range(len(tasks))]

    def _begin(self, task: FitTask, device: str) -> FittedMLP:
        if task.start is None:
            module = module_of(self._first_layers(task)).to(device)
            return FittedMLP(module, Standardizer.for_training(task.data, self.scaler), device)
        start = _network_behind(task.start)
        return FittedMLP(copy.deepcopy(start.module).to(device), start.standardizer, device)

    def _first_layers(self, task: FitTask) -> Layers:
        x, _ = training_table(task.data)
        return initial_layers((x.shape[1], *self.hidden, task.data.n_classes), task.seeds.init)

    def _train(self, fitted: FittedMLP, task: FitTask) -> None:
        import torch

        module = fitted.module
        x, y = fitted.inputs(task.data.x), torch.from_numpy(task.data.y).to(fitted.device)
        optimizer = self._optimizer(module)
        for epoch in range(self.epochs):
            for batch in batches(task.data, task.seeds.order, epoch, self.batch_size):
                rows = torch.from_numpy(batch).to(fitted.device)
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(module(x[rows]), y[rows])
                loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
                optimizer.step()
        module.zero_grad()
        self._check(all(bool(parameter.isfinite().all()) for parameter in module.parameters()))

    def _check(self, finite: bool) -> None:
        if not finite:
            raise UserError(f"the network's weights overflowed: lower learning_rate ({self.learning_rate:g})")

    def _optimizer(self, module: torch.nn.Module) -> torch.optim.Optimizer:
        import torch

        kind = torch.optim.Adam if self.optimizer == "adam" else torch.optim.SGD
        weights, rate, decay = list(module.parameters()), self.learning_rate, self.weight_decay
        try:
            return kind(weights, lr=rate, weight_decay=decay, fused=True)
        except RuntimeError:  # older torch fuses on some devices only
            return kind(weights, lr=rate, weight_decay=decay)


def _network_behind(start: Fitted | None) -> FittedMLP | FastMLP:
    if not isinstance(start, FittedMLP | FastMLP):
        raise UserError(f"an mlp can go on from an mlp only, not from {type(start).__name__}")
    return start


def _layers_to_start_from(start: Fitted | None) -> Layers | None:
    """Return the layers to go on from, none of them where training starts anew; None where the kernel cannot."""
    if start is None:
        return ()
    model = _network_behind(start)
    return model.layers if isinstance(model, FastMLP) else layers_of(model.module)
