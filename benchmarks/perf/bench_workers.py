"""A suite of episodes by two worker processes beside one: what --workers gains where there are cores for it.

Both are pools: the serial run keeps in this process what the first call compiled and loaded, which no pool can.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from comparing import Compare

from unlearnbench.builtin.executors.processes import ProcessExecutor
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plan import make_plan
from unlearnbench.run.runner import Runner
from unlearnbench.run.selection import Selection
from unlearnbench.run.store import Store
from unlearnbench.suite.load import load_suite

SUITE = """
suite: workers
version: 1
seeds: [0]
datasets: [adult]
models: [{model}]
unlearners: [retrain]
attacks: [sorted-diff]
episodes: {{originals: 6, requests: {requests}, records: 2000}}
device: cpu
"""


@pytest.mark.parametrize(("model", "requests"), [("random-forest", 20), ("mlp", 10)])
def bench_workers(model: str, requests: int, compare: Compare, tmp_path: Path) -> None:
    """Time a whole run, start of the workers and attacks included, into a store that is empty each time."""
    suite = tmp_path / "workers.yaml"
    suite.write_text(SUITE.format(model=model, requests=requests))
    compare(
        "workers, 2 beside 1",
        f"Adult, {model}",
        reference=run(suite, 1),
        fast=run(suite, 2),
        table="Workers",
    )


def run(file: Path, workers: int) -> Callable[[], None]:
    """Return a run of the suite's retraining cells by so many workers."""
    suite, registry = load_suite(file)
    instances = PluginInstances(registry)
    plan = make_plan(suite, instances, suite.device, Selection.parse(["unlearner=retrain"]))

    def work() -> None:
        with TemporaryDirectory() as store:
            outcome = Runner(instances, Store(Path(store)), ProcessExecutor(workers), show_progress=False).run(plan)
            assert outcome.failed == 0, outcome  # noqa: S101 - rates of failed runs would mislead

    return work
