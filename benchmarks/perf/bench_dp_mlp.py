"""Multilayer perceptrons trained by DP-SGD: the kernel with ghost clipping, against Opacus as it is used."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from comparing import Compare
from jobs import adult, episode

from unlearnbench.builtin.models.mlp.fitted import network
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.core.models import FitTask
from unlearnbench.core.options import DPSGD, TrainingOptions
from unlearnbench.engine.scaling import Standardizer

PRIVATELY = DPSGD(noise_multiplier=1.2, clip=1.0, delta=1e-5)


@pytest.mark.parametrize("hidden", [(256, 128, 64, 32), (64, 32)])
def bench_dp_mlp(hidden: tuple[int, ...], compare: Compare) -> None:
    """Train an original and four models that lack a record each."""
    model = MLP(hidden=hidden, epochs=2)
    plain = episode(adult(), 1999, k=4)
    tasks = [FitTask(task.data, task.seeds, options=TrainingOptions(dp=PRIVATELY)) for task in plain]
    compare(
        "DP-SGD MLP against Opacus",
        f"Adult, {'-'.join(map(str, hidden))}",
        reference=lambda: by_opacus(model, plain[0]),
        fast=lambda: model.fit_many(tasks, "cpu"),
        fast_models=len(tasks),
    )


def by_opacus(model: MLP, task: FitTask) -> None:
    """Train one network by Opacus's engine over a data loader."""
    import torch
    from opacus import PrivacyEngine

    x = Standardizer.for_training(task.data, "original")(task.data.x).astype(np.float32)
    data = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(task.data.y))
    module = network((x.shape[1], *model.hidden, task.data.n_classes), task.seeds.init)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that its noise is not secure, and that hooks see no gradient of the input
        module, optimizer, loader = PrivacyEngine().make_private(
            module=module,
            optimizer=torch.optim.Adam(module.parameters(), lr=model.learning_rate),
            data_loader=torch.utils.data.DataLoader(data, batch_size=model.batch_size),
            noise_multiplier=PRIVATELY.noise_multiplier,
            max_grad_norm=PRIVATELY.clip,
        )
        for _ in range(model.epochs):
            for rows, labels in loader:
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(module(rows), labels)
                loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
                optimizer.step()
