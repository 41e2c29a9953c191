"""Retraining without the forgotten records: the exact unlearning that others are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal

from unlearnbench.core.models import Seeds, TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Order, Step, TrainingSet
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.training import TrainingJob
from unlearnbench.engine.unlearners import ExactUnlearner


@dataclass(frozen=True)
class Retrain(ExactUnlearner):
    """Train again on the retain set ("scratch" in Chen et al. 2021).

    ``init``: ``same`` starts from the original's initial seed (weights, bags, feature draws), so that only the
    record differs; ``fresh`` draws new ones, as an operator who simply trains again would.

    ``order``: ``slot`` masks a forgotten record in its place, every other record meets the same batch as before;
    ``compact`` closes the gap, so every later batch shifts; ``fresh`` is a new order. What these mean for a kind of
    model stands with the model; a kind that cannot keep its other draws still (a plain random forest) is refused
    for ``slot`` and ``compact``.

    The paper's code mixed these without saying so, and much of what it measured was ordering noise.
    """

    init: Literal["same", "fresh"] = "same"
    order: Order = "slot"

    def refusal(self, model: TargetModel) -> str | None:
        """Refuse an order that the model cannot honour."""
        return refuse_order(model, self.order)

    def jobs(self, original: Original, steps: Sequence[Step], seeds: SeedPath) -> list[TrainingJob]:
        """Return the one training run on what is left."""
        left = retain_set(original.data, steps, self.order)
        return [TrainingJob(left, version_seeds(original.seeds, seeds, self.init, self.order))]


def retain_set(data: TrainingSet, steps: Sequence[Step], order: Order) -> TrainingSet:
    """Return ``data`` after all ``steps``."""
    return reduce(lambda kept, step: kept.after(step, order), steps, data)


def version_seeds(original: SeedPath, request: SeedPath, init: Literal["same", "fresh"], order: Order) -> Seeds:
    """Return the seeds of one version: those of the original where they are shared, noise always its own."""
    old, new = Seeds.at(original), Seeds.at(request)
    return Seeds(
        init=old.init if init == "same" else new.init,
        order=new.order if order == "fresh" else old.order,
        noise=new.noise,
    )


def refuse_order(model: TargetModel, order: Order) -> str | None:
    """Return why ``model`` cannot be retrained under ``order``, or None where it can."""
    if order in model.orders:
        return None
    allowed = ", ".join(sorted(model.orders))
    return f"{type(model).__name__} cannot keep its other draws still under order: {order}; use order: {allowed}"
