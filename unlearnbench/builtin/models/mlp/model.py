"""A multilayer perceptron: the reference is a plain loop on tensors, the fast path a compiled kernel."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from unlearnbench.builtin.models.mlp.fitted import (
    FastMLP,
    FittedMLP,
    PrivateFastMLP,
    PrivateMLP,
    layers_of,
    module_of,
)
from unlearnbench.builtin.models.mlp.private import budget_of, train_privately
from unlearnbench.builtin.models.mlp.training_inputs import SharedInputs
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Fitted, SeedUse, TargetModel
from unlearnbench.core.options import DPSGD, TrainingOption
from unlearnbench.engine.batches import batches_of_ids, epochs_of_batches, poisson_batches
from unlearnbench.engine.jit import usable
from unlearnbench.engine.mlp.bank import MLPBank
from unlearnbench.engine.mlp.layout import Layers, Network, initial_layers
from unlearnbench.engine.mlp.optimizer import Optimizer
from unlearnbench.engine.mlp.private import Privacy, fit_privately
from unlearnbench.engine.mlp.train import fit, in_threads
from unlearnbench.engine.networks.stack import train_stacked
from unlearnbench.engine.networks.stacked_jobs import StackedJob
from unlearnbench.engine.networks.training import OptimizerName, TrainingLoop, step_log
from unlearnbench.engine.privacy import PrivateRun
from unlearnbench.engine.scaling import Scaler, Standardizer
from unlearnbench.engine.sklearn_model import training_table

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class MLP(TargetModel):
    """A multilayer perceptron with ReLU on standardized features, trained with cross-entropy in float32.

    ``init`` seeds the initial weights, ``order`` the batches. Each epoch sorts all records by a draw keyed by
    (``order`` seed, epoch, record) and cuts them into batches:

    - ``slot``: the deleted record's position stays empty and its batch is one shorter; the loss is the mean over the
      records in the batch, so each of the others weighs a little more. An empty batch is no optimizer step. All other
      batches stay as they were.
    - ``compact``: the record is removed and every record behind it moves one position forward, in every epoch: nearly
      all batches change by a record, and the number of steps may drop by one.
    - ``fresh``, or ``init: fresh``: another training run.

    With ``batch_size`` >= n, slot and compact are the same. Records added by a request take positions of their own, so
    they move others whatever the order.

    Training goes on from ``task.start`` (slices of SISA): its weights and its scaler stay, the optimizer starts again,
    as its moments belong to the records seen before. ``init`` is then unused. Bitwise repeatable on a CPU: the
    reference at a fixed number of threads, the fast path at any.

    Private training (option ``dp``; Abadi et al., CCS 2016): a record is in a step's batch with probability
    ``batch_size`` / n, by a draw keyed by (``order`` seed, step, record), so slot and compact are the same; each
    record's gradient by all parameters is scaled down to norm ``clip`` at most; Gaussian noise, of deviation
    ``noise_multiplier`` times ``clip`` and keyed by (``noise`` seed, step), joins their sum, which is divided by
    ``batch_size`` and handed to the optimizer. n, and with it the number of steps, is the original's. ``epsilon``
    is that of one model and of the weights alone: the scaler's means and deviations are not private, and the noise is
    no cryptographic generator's (see :mod:`unlearnbench.engine.mlp.noise`).

    Dropout (option ``dropout``) leaves hidden units out, by draws keyed by (``order`` seed, epoch, record, unit): under
    both orders every other record loses the units it lost before. Not together with ``dp``, which is a UserError.

    Needs no second class. UserError where the weights overflow. Training may also fail without an error: with Adam at
    0.05, the rate of the paper's code, accuracy on digits falls from .97 to between .21 and .68 and many records get
    the same posterior. Training amplifies any difference: at the default widths, a change of 1e-6 in the initial
    weights changes posteriors about as much as one deletion does (at widths 64 and 32, a third as much), so models from
    two engines or two machines must not be compared.

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
    optimizer: OptimizerName = "adam"
    learning_rate: PositiveFloat = 1e-3
    weight_decay: NonNegativeFloat = 0.0
    scaler: Scaler = "original"

    seeds_used: ClassVar[frozenset[SeedUse]] = frozenset({"init", "order"})
    continues: ClassVar[bool] = True
    uses_device: ClassVar[bool] = True
    has_module: ClassVar[bool] = True
    convolutional: ClassVar[bool | None] = False
    logs: ClassVar[bool] = True
    options: ClassVar[frozenset[TrainingOption]] = frozenset({"dp", "dropout"})

    def fit(self, task: FitTask, device: str) -> FittedMLP:
        """Train one network, from scratch or from a copy of ``task.start``."""
        _check_options(task)
        fitted = self._begin(task, device)
        if task.options.dp:
            return self._train_privately(fitted, task, task.options.dp)
        self._train(fitted, task)
        return fitted

    def has_fast_path(self, device: str) -> bool:
        """Return True on the CPU where numba is available, and on all other devices, where networks are stacked."""
        return device != "cpu" or usable()

    def fit_many(self, tasks: Sequence[FitTask], device: str) -> Sequence[Fitted]:
        """Train networks one at a time in compiled code (:mod:`unlearnbench.engine.mlp.train`), or stacked.

        Stacked (:mod:`unlearnbench.engine.networks.stack`) are those under dropout, and all on devices other than the
        CPU, where that was never tried. Either way same start, batches and draws, other roundings: posteriors agree
        with those of :meth:`fit` to 1e-6 after one epoch, and after many as two processors would. Left to :meth:`fit`
        are machines without numba, private training on other devices than the CPU, and calls of which a task goes on
        from a module of another build.
        """
        starts = [_layers_to_start_from(task.start) for task in tasks]
        found = [start for start in starts if start is not None]
        private = any(task.options.dp for task in tasks)
        if not self.has_fast_path(device) or len(found) < len(starts) or (private and device != "cpu"):
            return super().fit_many(tasks, device)
        for task in tasks:
            _check_options(task)
        stacked = [device != "cpu" or task.options.dropout > 0 for task in tasks]
        by_kernel = iter(self._by_kernel(*_those(tasks, found, stacked, False)))
        by_stack = iter(self._by_stack(*_those(tasks, found, stacked, True), device))
        return [next(by_stack if each else by_kernel) for each in stacked]

    def _by_kernel(self, tasks: Sequence[FitTask], starts: Sequence[Layers]) -> list[Fitted]:
        shared = SharedInputs(self.epochs, self.scaler)
        optimizer = Optimizer(self.optimizer == "adam", self.learning_rate, self.weight_decay)

        def train(index: int) -> tuple[Network, Standardizer]:
            task = tasks[index]
            standardizer, layers = self._begin_fast(task, starts[index], shared)
            dp = task.options.dp
            if dp is None:
                network = fit(shared.for_task(task, layers, standardizer), optimizer, self.batch_size)
            else:
                run = self._private_run(task, dp)
                privacy = Privacy(dp.clip, dp.noise_multiplier * dp.clip, _expected(run, task))
                inputs = shared.for_private_task(task, layers, standardizer, run)
                network = fit_privately(inputs, optimizer, privacy, task.seeds.noise)
            self._loop.check_finite(bool(np.isfinite(network.parameters).all()))
            return network, standardizer

        done = in_threads(train, range(len(tasks)))
        bank = MLPBank(*(tuple(part) for part in zip(*done, strict=True))) if done else MLPBank((), ())
        return [self._member(bank, index, task) for index, task in enumerate(tasks)]

    def _by_stack(self, tasks: Sequence[FitTask], starts: Sequence[Layers], device: str) -> list[Fitted]:
        shared, done = SharedInputs(self.epochs, self.scaler), dict[int, Layers]()
        jobs, standardizers = [], []
        for task, start in zip(tasks, starts, strict=True):
            standardizer, layers = self._begin_fast(task, start, shared)
            ids = partial(batches_of_ids, task.data, task.seeds.order, size=self.batch_size)
            standardizers.append(standardizer)
            jobs.append(StackedJob(layers, task.data.records, standardizer, ids, task.seeds.order))
        for dropout in {task.options.dropout for task in tasks}:
            indices = [index for index, task in enumerate(tasks) if task.options.dropout == dropout]
            some = [jobs[index] for index in indices]
            done.update(
                zip(indices, train_stacked(some, self.epochs, dropout, self._loop.make_optimizer, device), strict=True)
            )
        parts = (part for layers in done.values() for pair in layers for part in pair)
        self._loop.check_finite(all(bool(np.isfinite(part).all()) for part in parts))
        return [
            FittedMLP(module_of(done[index]).to(device), standardizer, device, tasks[index].options.dropout)
            for index, standardizer in enumerate(standardizers)
        ]

    def _begin_fast(self, task: FitTask, start: Layers, shared: SharedInputs) -> tuple[Standardizer, Layers]:
        if task.start:
            return _network_behind(task.start).standardizer, start
        return shared.standardizer(task.data), self._first_layers(task)

    def _member(self, bank: MLPBank, index: int, task: FitTask) -> FastMLP:
        dp = task.options.dp
        if dp is None:
            return FastMLP(bank, index)
        return PrivateFastMLP(bank, index, budget_of(self._private_run(task, dp), task.start, dp))

    def _begin(self, task: FitTask, device: str) -> FittedMLP:
        if task.start is None:
            module = module_of(self._first_layers(task)).to(device)
            return FittedMLP(module, Standardizer.for_training(task.data, self.scaler), device, task.options.dropout)
        start = _network_behind(task.start)
        return FittedMLP(copy.deepcopy(start.module).to(device), start.standardizer, device, task.options.dropout)

    def _first_layers(self, task: FitTask) -> Layers:
        x, _ = training_table(task.data)
        return initial_layers((x.shape[1], *self.hidden, task.data.n_classes), task.seeds.init)

    def _train(self, fitted: FittedMLP, task: FitTask) -> None:
        import torch

        data, seed, ids = task.data, task.seeds.order, task.data.kept_ids
        x, y = fitted.inputs(data.x), torch.from_numpy(data.y).to(fitted.device)

        def forward(x: torch.Tensor, epoch: int, batch: NDArray[np.int64]) -> torch.Tensor:
            return fitted.training_logits(fitted.module, x, ids[batch], seed, epoch)

        steps = epochs_of_batches(data, seed, self.epochs, self.batch_size)
        self._loop.train(fitted.module, x, y, steps, forward, step_log(task, fitted.module))

    def _train_privately(self, fitted: FittedMLP, task: FitTask, dp: DPSGD) -> PrivateMLP:
        import torch

        run = self._private_run(task, dp)
        train_privately(
            fitted.module,
            self._loop.make_optimizer(fitted.module.parameters()),
            fitted.inputs(task.data.x),
            torch.from_numpy(task.data.y).to(fitted.device),
            poisson_batches(task.data, task.seeds.order, run.steps, run.sample_rate),
            dp,
            _expected(run, task),
            task.seeds.noise,
        )
        self._loop.finish(fitted.module)
        return PrivateMLP(
            fitted.module, fitted.standardizer, fitted.device, fitted.dropout, budget_of(run, task.start, dp)
        )

    def _private_run(self, task: FitTask, dp: DPSGD) -> PrivateRun:
        return PrivateRun.over(len(task.data.original.ids), self.batch_size, self.epochs, dp)

    @property
    def _loop(self) -> TrainingLoop:
        return TrainingLoop(self.optimizer, self.learning_rate, self.weight_decay, precision="fp32", fused=True)


def _check_options(task: FitTask) -> None:
    if task.options.dp and task.options.dropout:
        raise UserError("an mlp is trained with differential privacy or with dropout, not with both")
    if task.options.dp and task.log:
        raise UserError("private training keeps no log, which would not be private")


def _those(
    tasks: Sequence[FitTask], starts: Sequence[Layers], stacked: Sequence[bool], which: bool
) -> tuple[list[FitTask], list[Layers]]:
    """Return the tasks that are stacked, or those that are not, and their starts."""
    indices = [index for index, each in enumerate(stacked) if each is which]
    return [tasks[index] for index in indices], [starts[index] for index in indices]


def _expected(run: PrivateRun, task: FitTask) -> float:
    """Return the mean batch size of the original's training, which an unlearned model keeps."""
    return run.sample_rate * len(task.data.original.ids)


def _network_behind(start: Fitted | None) -> FittedMLP | FastMLP:
    if not isinstance(start, FittedMLP | FastMLP):
        raise UserError(f"an mlp can go on from an mlp only, not from {type(start).__name__}")
    return start


def _layers_to_start_from(start: Fitted | None) -> Layers | None:
    """Return the layers to go on from: () where training starts from scratch, None where the kernel cannot."""
    if start is None:
        return ()
    model = _network_behind(start)
    return model.layers if isinstance(model, FastMLP) else layers_of(model.module)
