"""Multilayer perceptrons that lack a record each: one model at a time in cache, against a loop over tensors.

Batches, scaling and initial weights are part of what is timed.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from comparing import Compare
from jobs import DATA, episode

from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.core.records import Order

RECORDS = {"Adult": 1999, "digits": 1500}
WIDE, MIDDLE, SMALL = (256, 128, 64, 32), (64, 32), (32,)


def flops(widths: tuple[int, ...], n: int, epochs: int) -> float:
    """Return the operations of one training: forward pass, gradient, and what layers but the first hand back."""
    first, *rest = (2 * inputs * outputs for inputs, outputs in pairwise(widths))
    return n * epochs * (2 * first + 3 * sum(rest))


@pytest.mark.parametrize(
    ("data", "hidden", "how"),
    [
        ("Adult", WIDE, {}),
        ("Adult", WIDE, {"optimizer": "sgd", "learning_rate": 0.1}),
        ("Adult", WIDE, {"epochs": 1}),
        ("Adult", MIDDLE, {}),
        ("Adult", SMALL, {}),
        ("digits", MIDDLE, {}),
        ("digits", SMALL, {}),
    ],
)
def bench_mlp(data: str, hidden: tuple[int, ...], how: dict[str, Any], compare: Compare) -> None:
    """Train an original and 5 to 10 models by three epochs of Adam, or as ``how`` says."""
    compare_model(data, hidden, compare, how)


@pytest.mark.parametrize("hidden", [MIDDLE, SMALL])
@pytest.mark.parametrize(("order", "fresh"), [("compact", False), ("slot", True)])
def bench_mlp_draws(hidden: tuple[int, ...], order: Order, fresh: bool, compare: Compare) -> None:
    """Share less between models: batches, or initial weights too."""
    compare_model("Adult", hidden, compare, {}, order, fresh)


def compare_model(
    data: str,
    hidden: tuple[int, ...],
    compare: Compare,
    how: dict[str, Any],
    order: Order = "slot",
    fresh: bool = False,
) -> None:
    """Compare both ways on one architecture."""
    records, n, model = DATA[data](), RECORDS[data], MLP(hidden=hidden, **{"epochs": 3, **how})
    tasks = episode(records, n, k=4 if hidden == WIDE else 10, order=order, fresh=fresh)
    differs = [f"{key}: {value}" for key, value in {**how, "order": order}.items() if value != "slot"]
    compare(
        "MLP",
        ", ".join([data, "-".join(map(str, hidden)), *differs, *(["fresh seeds"] if fresh else [])]),
        reference=lambda: [model.fit(task, "cpu") for task in tasks[:2]],
        reference_models=2,
        fast=lambda: model.fit_many(tasks, "cpu"),
        fast_models=len(tasks),
        flops=flops((records.x.shape[1], *hidden, records.n_classes), n, model.epochs),
        rounds=5,
    )
