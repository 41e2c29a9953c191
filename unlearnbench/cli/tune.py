"""``unlearnbench tune``: look for parameters of unlearners, and write a suite that has them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unlearnbench.cli.options import ExecutorText, Memory, MemoryLimit, Timeout, Workers
from unlearnbench.cli.output import echo, print_table
from unlearnbench.cli.session import DEFAULT_STORE, StoreDir, SuiteName
from unlearnbench.core.files import write_whole
from unlearnbench.report.trials import HEADERS, trial_lines, trials_csv
from unlearnbench.run.executors import choose_executor
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.runner import Runner
from unlearnbench.run.store import Store
from unlearnbench.run.tuning import best_of, outcome_of, trial_records, trials_of, tuned_suite
from unlearnbench.suite.find import find_suite
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.yaml import dump_yaml

EXAMPLES = ("unlearnbench tune my-suite.yaml", "unlearnbench tune my-suite.yaml --workers 4 --out tuned")


def command(
    suite: SuiteName,
    store: StoreDir = DEFAULT_STORE,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Where the suite and the table are written.")
    ] = Path(),
    executor: ExecutorText = None,
    workers: Workers = 1,
    memory: Memory = "",
    timeout: Timeout = None,
    memory_limit: MemoryLimit = "",
) -> None:
    """Try parameters of each unlearner on development originals, and write a suite with the best beside the default.

    The key `tune` of the suite has the search space and the number of trials, which is the same for each unlearner.
    SUITE-tuned.yaml is a suite as any other; it holds every trial, and so do its results and its board.
    SUITE-trials.csv is a table of them. Trials are kept in the store, so what was stopped goes on. The plug-in files
    that the suite names are executed.
    """
    loaded, registry = load_suite(find_suite(suite), run_plugin_files=True)
    instances, kept = PluginInstances(registry), Store(store.absolute())
    trials = trials_of(loaded, out, instances)
    limits = loaded.limits.replaced_by(timeout, memory_limit)
    work = choose_executor(instances, executor, workers, memory)
    Runner(instances, kept, work).make_episodes({task.key: task for one in trials for task in one.episodes}, limits)
    tried = [outcome_of(trial, loaded.tune.passes, kept) for trial in trials] if loaded.tune else []
    best = best_of(tried)
    records = trial_records(tried, best)
    print_table(trial_lines(records), headers=HEADERS)
    for name, text in (
        (f"{loaded.name}-tuned.yaml", dump_yaml(tuned_suite(loaded, best, records))),
        (f"{loaded.name}-trials.csv", trials_csv(records)),
    ):
        echo(f"wrote {write_whole(out / name, text)}")
