"""Gradient unlearners: all requests of an original in stacks, against one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from unittest.mock import patch

import numpy as np

from gpu.comparing import Row, Way, ask, compare
from gpu.parts import Case, Part
from gpu.setting import Setting, table
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.unlearners.edits.influence import Influence
from unlearnbench.builtin.unlearners.edits.ssd import SSD
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.builtin.unlearners.gradient.neggrad_plus import NegGradPlus
from unlearnbench.builtin.unlearners.gradient.salun import SalUn
from unlearnbench.builtin.unlearners.gradient.scrub import Scrub
from unlearnbench.core.models import Fitted, TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Records, Step, TrainingSet
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients import train
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.engine.unlearners import Deletion

METHODS: dict[str, GradientUnlearner] = {
    "finetune": Finetune(epochs=1),
    "neggrad-plus": NegGradPlus(epochs=1),
    "scrub": Scrub(epochs=1, forget_epochs=1),
    "ssd": SSD(batch_size=16),
    "salun": SalUn(epochs=1),
    "influence": Influence(),
}
"""One epoch each; `ssd` takes gradients of 16 records at once, as one record at a time would take minutes."""


def deletions(
    method: GradientUnlearner, model: TargetModel, records: Records, n: int, steps: Sequence[Step], device: str
) -> list[Deletion]:
    """Return the deletions of an original of the first ``n`` records, which is trained for it."""
    data = TrainingSet.of(records, np.arange(n))
    state = method.prepare(Original(model, data, SeedPath(0), device=device))
    return [state.deletion(step, SeedPath(1) / r) for r, step in enumerate(steps)]


def cases(setting: Setting) -> Mapping[str, Case]:
    """Return a case for each method."""
    return {name: partial(_case, method, setting) for name, method in METHODS.items()}


def _case(method: GradientUnlearner, setting: Setting) -> Row:
    size, model = setting.size, MLP(hidden=(64, 32), epochs=setting.size.epochs)
    records = table(2 * size.records)
    steps = [Step(np.array([r])) for r in range(size.requests)]
    todo = deletions(method, model, records, size.records, steps, setting.device)

    def one_by_one() -> Sequence[Fitted]:
        with patch.object(train, "stackable", return_value=False):
            return [method.unlearn(each) for each in todo[: size.few]]

    together = Way[Sequence[Fitted]](lambda: method.unlearn_all(todo), len(todo))
    return compare(together, Way[Sequence[Fitted]](one_by_one, size.few), ask(records.x))


PARTS = (
    Part(
        "unlearners",
        "Requests of one record each to an mlp 64-32 on the device, served together and one after the other. Seconds "
        "are those of a request.",
        ("in stacks", "one by one"),
        cases,
    ),
)
