"""The base of gradient methods and weight edits: its author writes only what the method is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from unlearnbench.core.models import Fitted, TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.engine.devices import repeatable
from unlearnbench.engine.gradients.jobs import Job, Made, record_passes
from unlearnbench.engine.gradients.passes import Stage
from unlearnbench.engine.gradients.perceptron import copy_of
from unlearnbench.engine.gradients.train import train
from unlearnbench.engine.guards import guard_deletions, guard_original
from unlearnbench.engine.networks.modules import HasModule
from unlearnbench.engine.unlearners import Deletion, FunctionUnlearner

if TYPE_CHECKING:
    import torch


class GradientUnlearner(FunctionUnlearner):
    """An unlearner that trains or edits a copy of a network. Authors write ``stages``, ``edit``, or both.

    The engine makes batches, keeps to ``sees``, and serves all requests of an original together where the network is
    linear layers with ReLU; results do not depend on that beyond rounding, nor on the other requests to the bit.
    """

    mode: ClassVar[Literal["train", "eval"]] = "train"
    """``train``: normalization takes the statistics of the batch and moves its running ones, but for a batch of one
    record, and dropout is that of training. ``eval``: the network is trained as it answers, and its buffers stay."""

    def stages(self, original: Original) -> Sequence[Stage]:  # noqa: ARG002 - an edit needs none
        """Return how the network is trained, the same for all requests of an original; nothing by default."""
        return ()

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        """Change the network in place before it is trained; ``requires_grad_(False)`` freezes a parameter."""

    def mask(self, module: torch.nn.Module, deletion: Deletion) -> Sequence[torch.Tensor] | None:  # noqa: ARG002 - most have none
        """Return a factor of each number's gradient, in the shape of its parameter; None for 1.

        A number with 0 or False stays to the bit, also under momentum and weight decay. ``module`` is edited already.
        """
        return None

    def mask_all(
        self, modules: Sequence[torch.nn.Module], deletions: Sequence[Deletion]
    ) -> Sequence[Sequence[torch.Tensor] | None]:
        """Return the masks for deletions that unlearn from one model; override it where that is faster together."""
        return [self.mask(module, deletion) for module, deletion in zip(modules, deletions, strict=True)]

    def teachers(self, deletion: Deletion) -> Mapping[str, torch.nn.Module]:  # noqa: ARG002 - most have none
        """Return fixed networks for ``batch.teacher(name)``, beside ``original``."""
        return {}

    def made(self, deletion: Deletion) -> Made | None:  # noqa: ARG002 - most make none
        """Return records to train on beside those of the data set, for terms over ``made``; None for none.

        A deletion with such records is served one by one.
        """
        return None

    def context(self, deletion: Deletion) -> Any:  # noqa: ARG002 - most need nothing
        """Return what the rules and the measures of passes need to know of this deletion."""
        return None

    def finish(
        self,
        module: torch.nn.Module,
        snapshots: Sequence[torch.nn.Module],  # noqa: ARG002 - for methods that choose among them
        deletion: Deletion,  # noqa: ARG002 - as above
    ) -> torch.nn.Module:
        """Return the unlearned network, given the trained one and the snapshots; the trained one by default."""
        return module

    def refusal(self, model: TargetModel) -> str | None:
        """Refuse models without a torch module."""
        return None if model.has_module else f"needs a network, and {type(model).__name__} is none"

    def unlearn(self, deletion: Deletion) -> Fitted:
        """Serve one deletion."""
        return self.unlearn_all([deletion])[0]

    @repeatable()
    def unlearn_all(self, deletions: Sequence[Deletion]) -> list[Fitted]:
        """Serve deletions of one original. One that moves no weight returns the very model that it was given."""
        jobs = self._jobs(deletions)
        return [
            self._result(deletion, self.finish(module, job.snapshots, job.deletion))
            for deletion, job, module in zip(deletions, jobs, train(jobs), strict=True)
        ]

    def records_read(self, deletion: Deletion) -> int:  # noqa: ARG002 - most methods have neither edit nor mask
        """Return of how many records ``edit``, ``mask``, ``made`` and ``context`` compute gradients; 0 by default.

        Records count with repetitions. Override it with them. What ``precompute`` reads belongs to the original and is
        not counted.
        """
        return 0

    def records_made(self, deletion: Deletion) -> int:
        """Return how many records ``made`` returns, at most. It makes them; override it where that takes long."""
        return len(self.made(deletion.guarded(self.access)) or ())

    def record_passes(self, deletion: Deletion) -> float:
        """Return how many records go forward and backward, over those of a retraining.

        What teachers and snapshots only answer is not counted, nor that a measure ends training early. NaN for a model
        that does not tell its ``epochs``.
        """
        retain, forget = len(deletion.retain), len(deletion.forget)
        stages = self.stages(guard_original(deletion.original, self.access))
        validation = len(deletion.original.validation_ids)
        trained = record_passes(stages, retain, forget, self.records_made(deletion), validation)
        return of_a_retraining(trained + self.records_read(deletion), deletion)

    def _jobs(self, deletions: Sequence[Deletion]) -> list[Job]:
        """Return what is to be trained for each deletion, edited and masked."""
        guarded = guard_deletions(deletions, self.access)
        modules = [copy_of(has_module(deletion.fitted).module) for deletion in deletions]
        for module, each in zip(modules, guarded, strict=True):
            self.edit(module, each)
        masks: list[Sequence[torch.Tensor] | None] = [None] * len(deletions)
        for group in of_one_model(deletions):
            found = self.mask_all([modules[k] for k in group], [guarded[k] for k in group])
            for k, mask in zip(group, found, strict=True):
                masks[k] = mask
        return [self._job(*each) for each in zip(deletions, guarded, modules, masks, strict=True)]

    def _job(
        self, deletion: Deletion, guarded: Deletion, module: torch.nn.Module, masks: Sequence[torch.Tensor] | None
    ) -> Job:
        fitted = has_module(deletion.fitted)
        return Job(
            module=module,
            fitted=fitted,
            records=deletion.original.data.records,
            retain=deletion.retain.kept_ids,
            forget=deletion.forget.kept_ids,
            validation=deletion.original.validation_ids,
            seed=deletion.seeds.seed(),
            access=self.access,
            stages=self.stages(guarded.original),
            training=self.mode == "train",
            teachers={"original": fitted.module, **self.teachers(guarded)},
            deletion=guarded,
            masks=masks,
            made=self.made(guarded),
            context=self.context(guarded),
        )

    def _result(self, deletion: Deletion, module: torch.nn.Module) -> Fitted:
        fitted = has_module(deletion.fitted)
        return fitted if same_weights(fitted.module, module) else fitted.with_module(module.eval())


def of_a_retraining(records: int, deletion: Deletion) -> float:
    """Return how many times a retraining's records these are; NaN for a model that does not tell its ``epochs``."""
    epochs: float = getattr(deletion.original.model, "epochs", math.nan)
    return records / (epochs * max(len(deletion.retain), 1))


def of_one_model(deletions: Sequence[Deletion]) -> list[list[int]]:
    """Return the numbers of the deletions that unlearn from each model, as first steps of an original's requests do."""
    groups: dict[int, list[int]] = {}
    for k, deletion in enumerate(deletions):
        groups.setdefault(id(deletion.fitted), []).append(k)
    return list(groups.values())


def has_module(fitted: Fitted) -> HasModule:
    """Return a trained network as such; TypeError for other models, which ``refusal`` keeps away."""
    if not all(hasattr(fitted, member) for member in _MEMBERS):  # isinstance takes a hundred times as long
        raise TypeError(f"needs a model with a torch module, got {type(fitted).__name__}")
    return cast(HasModule, fitted)


_MEMBERS = [name for kind in (HasModule, Fitted) for name in vars(kind) if not name.startswith("_")]


def same_weights(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    """Return whether parameters and buffers are equal to the bit."""
    import torch

    parameters = zip(one.parameters(), other.parameters(), strict=True)  # most often the first pair differs already
    pairs = chain(parameters, zip(one.buffers(), other.buffers(), strict=True))
    return all(torch.equal(mine, its) for mine, its in pairs)
