"""Many networks in a stack, against one after the other and against a network alone in its stack."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from gpu.comparing import Row, Way, ask, compare
from gpu.engines import DROPOUT, Engine, train
from gpu.parts import Case, Part
from gpu.setting import Setting, table, tasks
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.core.options import PLAIN, TrainingOptions

WIDTHS = ((64, 32), (256, 128, 64, 32))
OPTIONS = {"": PLAIN, ", dropout": DROPOUT}
SECOND: dict[str, Engine] = {"fit": "fit", "alone in its stack": "fit_many"}


def cases(setting: Setting) -> Mapping[str, Case]:
    """Return a case for each network and each second way."""
    return {
        f"mlp {'-'.join(map(str, hidden))}{option}, against {second}": partial(_case, hidden, options, engine, setting)
        for hidden in WIDTHS
        for option, options in OPTIONS.items()
        for second, engine in SECOND.items()
    }


def _case(hidden: tuple[int, ...], options: TrainingOptions, engine: Engine, setting: Setting) -> Row:
    size, model = setting.size, MLP(hidden=hidden, epochs=1)
    records = table(2 * size.records)
    todo = tasks(records, size.records, size.stack, options)
    some = todo[: size.few if engine == "fit" else 1]
    together = Way(train(model, todo, "fit_many", setting.device), len(todo))
    return compare(together, Way(train(model, some, engine, setting.device), len(some)), ask(records.x[: size.records]))


PARTS = (
    Part(
        "stacks",
        "Networks trained together by `fit_many` (512 in the full size, an epoch), against one after the other by "
        "`fit`, and against the first of them alone by `fit_many`: there a difference of 0 says that a network does "
        "not depend on the others.",
        ("together", "second way"),
        cases,
    ),
)
