"""``unlearnbench reproduce``: the experiments of the paper, and whether its claims hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from unlearnbench.cli.options import AsJson, ExecutorText, Memory, SchedulerFile, Workers
from unlearnbench.cli.output import echo, print_json
from unlearnbench.cli.session import DEFAULT_STORE, ProfileOption, StoreDir, told_if_stopped
from unlearnbench.core.dataset_cards import Located
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Executor
from unlearnbench.core.files import write_whole
from unlearnbench.core.messages import counted
from unlearnbench.hooks.registry import load_registry
from unlearnbench.reproduction.experiment import Experiment
from unlearnbench.reproduction.experiments import EXPERIMENTS, experiment_named
from unlearnbench.reproduction.pages import Reproduced, claim_line, write_page
from unlearnbench.reproduction.published import read_rows
from unlearnbench.run.cells import SIDES, Plan
from unlearnbench.run.executors import choose_executor
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.results import Row, collect
from unlearnbench.run.runner import Runner
from unlearnbench.run.session import Session, SessionOptions, plan_session
from unlearnbench.suite.find import find_suite
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import Suite

Pair = tuple[Experiment, Suite]

EXAMPLES = (
    "unlearnbench reproduce",
    "unlearnbench reproduce group sisa-shards",
    "unlearnbench reproduce --check",
    "unlearnbench reproduce --published leaderboards/paper",
    "unlearnbench reproduce group --profile smoke",
    "unlearnbench reproduce --page reproduction.md --tables tables",
)


def command(
    experiment: Annotated[
        list[str] | None,
        typer.Argument(metavar="EXPERIMENT", help="Names or numbers of experiments; all by default."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Run nothing; test the claims on stored results.")] = False,
    page: Annotated[
        Path | None, typer.Option("--page", metavar="FILE", help="Write the results to a Markdown page.")
    ] = None,
    published: Annotated[
        Path | None,
        typer.Option(
            "--published",
            metavar="DIR",
            help="Run nothing; test the claims on the tables that --tables wrote to this folder.",
        ),
    ] = None,
    tables: Annotated[
        Path | None,
        typer.Option("--tables", metavar="DIR", help="Write a table and a figure of each experiment to this folder."),
    ] = None,
    executor: ExecutorText = None,
    workers: Workers = 1,
    memory: Memory = "",
    scheduler_file: SchedulerFile = "",
    profile: ProfileOption = "full",
    store: StoreDir = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Run the experiments of Chen et al. (CCS 2021) and test what the paper claims.

    The verdict on a claim is that it holds, that it does not hold, or that the seeds cannot tell. Work whose results
    are in the store is not done again. Experiments whose data sets are not available are left out, unless they are
    named. The exit code is 1 if a claim does not hold.
    """
    named = [experiment_named(name) for name in experiment] if experiment else EXPERIMENTS
    instances = PluginInstances(load_registry())
    pairs = [(each, load_suite(find_suite(each.suite), instances.registry)[0]) for each in named]
    pairs = pairs if experiment else _with_data(pairs, instances)
    work = None if check or published else choose_executor(instances, executor, workers, memory, scheduler_file)
    done = []
    for planned, suite in pairs:
        session = plan_session(suite, instances, SessionOptions(store, _listed(suite), profile=profile))
        done.append(
            _from_tables(planned, session.plan, published) if published else _reproduced(planned, session, work)
        )
    done = _write_tables(done, tables) if tables else done
    if as_json:
        print_json({each.experiment.name: [asdict(result) for result in each.results] for each in done})
    else:
        for each in done:
            echo(f"{each.experiment.number} {each.experiment.name}: {each.experiment.question}")
            echo("\n".join(f"  {claim_line(result)}" for result in each.results))
    if page:
        write_page(page, done)
        echo(f"wrote {page}", err=True)
    if any(each.contradicted for each in done):
        raise typer.Exit(1)


def _with_data(pairs: Sequence[Pair], instances: PluginInstances) -> list[Pair]:
    """Return the experiments whose data are available here, and print the names of the others."""
    kept = []
    for experiment, suite in pairs:
        if absent := _absent(suite, instances):
            echo(f"left out: {experiment.name} (no {', '.join(absent)}; see unlearnbench data list)", err=True)
        else:
            kept.append((experiment, suite))
    return kept


def _absent(suite: Suite, instances: PluginInstances) -> list[str]:
    refs = {ref.on(side).name: ref.on(side) for ref in suite.datasets for side in SIDES}
    datasets = {name: instances.make(ref, Dataset) for name, ref in refs.items()}
    return [name for name, data in datasets.items() if isinstance(data, Located) and not data.availability().available]


def _listed(suite: Suite) -> list[str]:
    """Select what the suite lists: no claim is about a control row, and those are three quarters of the work."""
    return [f"{ref.kind}={ref.label}" for ref in (*suite.unlearners, *suite.attacks)]


def _reproduced(experiment: Experiment, session: Session, executor: Executor | None) -> Reproduced:
    """Run an experiment, if there is an executor, and test its claims."""
    if executor:
        with told_if_stopped(session):
            Runner(session.instances, session.store, executor).run(session.plan)
    rows = collect(session.plan, session.store)
    _refuse_unfinished(experiment, rows)
    return Reproduced.of(experiment, session.plan, rows)


def _from_tables(experiment: Experiment, plan: Plan, folder: Path) -> Reproduced:
    """Test the claims of an experiment on its published table."""
    done = Reproduced.of(experiment, plan, read_rows(folder / f"{experiment.name}.csv", plan.suite))
    figure = folder / f"{experiment.name}.svg"
    return replace(done, figure=figure if figure.exists() else None)


def _refuse_unfinished(experiment: Experiment, rows: Sequence[Row]) -> None:
    if bad := next((row for row in rows if row.status not in ("ok", "skipped", "invalid")), None):
        cell = ", ".join(bad.names.values())
        hint = f"; run: unlearnbench reproduce {experiment.name}" if bad.status == "missing" else ""
        raise UserError(f"{experiment.name}: {cell}, seed {bad.seed}: {bad.status}, {bad.reason}{hint}")


def _write_tables(done: Sequence[Reproduced], folder: Path) -> list[Reproduced]:
    """Write a table of each experiment, and its figure if it has one."""
    from unlearnbench.reproduction.figures import draw

    for each in done:
        write_whole(folder / f"{each.experiment.name}.csv", each.csv())
    echo(f"wrote {counted(len(done), 'table')} to {folder}", err=True)
    return [replace(each, figure=draw(each.experiment, each.plan, each.rows, folder)) for each in done]
