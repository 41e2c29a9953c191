"""UNSIR: noise on which the network errs as far as it can takes the place of the classes to forget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.core.seeding import SeedPath, keyed_normals
from unlearnbench.engine.gradients.jobs import Made
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, has_module
from unlearnbench.engine.networks.modules import HasModule
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class UNSIR(GradientUnlearner):
    """Impair by a pass over a sample of the retain set and noise for each class to forget, then repair without noise.

    Noise N starts as standard normal inputs of the network and is moved by Adam to minimize -CE(network(N), class) +
    ``penalty`` times the mean of its squared length; the network stays, in evaluation mode. Its label is the class.
    Both passes minimize the cross-entropy by Adam, in training mode. Of the forget set only the classes are read. Made
    for the deletion of whole classes. With nothing to forget it is training on the sample. Source: Tarun et al. 2023,
    arXiv 2111.08947, code. There a batch of 256 noises is learned and three of them are used, as many as an image has
    colours; learned here are those that are used. It also calls all noise class 0, learns it in training mode, and its
    sample has so many records of each class, not on average.

    ``noise_records``: noises of each class

    ``copies``: how often each is among the records of the first pass

    ``noise_steps``: steps in which they are learned

    ``noise_learning_rate``: step size of these

    ``penalty``: factor of the squared length

    ``sample``: retained records of each class, on average

    ``learning_rate``: step size of the first pass

    ``repair_learning_rate``: step size of the second

    ``batch_size``: records of a batch
    """

    noise_records: PositiveInt = 3
    copies: NonNegativeInt = 20
    noise_steps: NonNegativeInt = 40
    noise_learning_rate: NonNegativeFloat = 0.1
    penalty: NonNegativeFloat = 0.1
    sample: PositiveInt = 1000
    learning_rate: NonNegativeFloat = 0.02
    repair_learning_rate: NonNegativeFloat = 0.01
    batch_size: PositiveInt = 256

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "labels")

    def records_read(self, deletion: Deletion) -> int:
        """Return the number of noises, once for each step in which they are learned."""
        return self.noise_steps * self.noise_records * len(np.unique(deletion.forget.y))

    def records_made(self, deletion: Deletion) -> int:
        """Return the number of noises with their copies."""
        return self.copies * self.noise_records * len(np.unique(deletion.forget.y))

    def made(self, deletion: Deletion) -> Made | None:
        """Return the noises of all classes to forget, with their copies."""
        import torch

        classes, fitted = np.unique(deletion.forget.y).tolist(), has_module(deletion.fitted)
        if not classes:
            return None
        shape = fitted.inputs(np.zeros((1, *deletion.forget.records.x.shape[1:]))).shape[1:]
        noises = torch.cat([self.noise(fitted, label, shape, deletion.seeds) for label in classes])
        labels = torch.tensor(classes, device=fitted.device).repeat_interleave(self.noise_records)
        return Made(noises.repeat(self.copies, *[1] * (noises.ndim - 1)), labels.repeat(self.copies))

    def noise(self, fitted: HasModule, label: int, shape: Sequence[int], seeds: SeedPath) -> torch.Tensor:
        """Return inputs (noise_records, ...) that the network takes least for this class."""
        import torch

        numbers = np.arange(self.noise_records)[:, np.newaxis], np.arange(int(np.prod(shape)))
        drawn = keyed_normals((seeds / "noise").seed(), label, *numbers)
        noise = torch.tensor(drawn, dtype=torch.float32, device=fitted.device).reshape(-1, *shape).requires_grad_()
        labels = torch.full((self.noise_records,), label, device=fitted.device)
        optimizer = Optimizer(self.noise_learning_rate, "adam").make([noise])
        for _ in range(self.noise_steps):
            length = noise.square().flatten(1).sum(dim=1).mean()
            error = torch.nn.functional.cross_entropy(fitted.module(noise), labels)
            (noise.grad,) = torch.autograd.grad(self.penalty * length - error, noise)
            optimizer.step()
        return noise.detach()

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return a pass with the noise, then one without."""
        share = min(1.0, self.sample * original.data.n_classes / max(len(original.data), 1))
        impair, repair = (
            Pass([Term("retain", batch_size=self.batch_size, share=share, with_made=noise)]) for noise in (True, False)
        )
        return [
            Stage(Optimizer(self.learning_rate, "adam"), [impair]),
            Stage(Optimizer(self.repair_learning_rate, "adam"), [repair]),
        ]
