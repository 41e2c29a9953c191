"""``unlearnbench reproduce``: the experiments of the paper, and whether what it says of them is found."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from unlearnbench.cli.options import DEFAULT_STORE, AsJson, ProfileOption, StoreDir
from unlearnbench.cli.output import print_json
from unlearnbench.cli.session import Session, open_session
from unlearnbench.core.errors import UserError
from unlearnbench.report.reproduction.experiment import Experiment
from unlearnbench.report.reproduction.experiments import EXPERIMENTS, experiment_named
from unlearnbench.report.reproduction.pages import Reproduced, finding_line, page
from unlearnbench.run.executors.serial import SerialExecutor
from unlearnbench.run.results import collect
from unlearnbench.run.runner import Runner

EXAMPLES = (
    "unlearnbench reproduce",
    "unlearnbench reproduce group sisa-shards",
    "unlearnbench reproduce --check",
    "unlearnbench reproduce group --profile smoke",
)


def command(
    experiment: Annotated[
        list[str] | None, typer.Argument(metavar="EXPERIMENT", help="Which, by name or number; all by default.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Run nothing; judge what the store holds.")] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the page of findings here.")] = None,
    profile: ProfileOption = "full",
    store: StoreDir = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Run the experiments of Chen et al. (CCS 2021) and judge each expectation over the seeds.

    An expectation holds, does not hold, or cannot be told at this number of seeds. Exits with 1 where one does not
    hold. What the store holds already is not run again.
    """
    chosen = [experiment_named(name) for name in experiment] if experiment else list(EXPERIMENTS)
    done = [_reproduced(each, open_session(each.suite, store, profile=profile), check) for each in chosen]
    if as_json:
        print_json({each.experiment.name: [asdict(finding) for finding in each.findings] for each in done})
    else:
        for each in done:
            typer.echo(f"{each.experiment.number} {each.experiment.name}: {each.experiment.question}")
            typer.echo("\n".join(f"  {finding_line(finding)}" for finding in each.findings))
    if out:
        out.write_text(page(done, {}))
        typer.echo(f"wrote {out}", err=True)
    if any(each.contradicted for each in done):
        raise typer.Exit(1)


def _reproduced(experiment: Experiment, session: Session, check: bool) -> Reproduced:
    if not check:
        Runner(session.registry, session.store, SerialExecutor()).run(session.plan)
    rows = collect(session.plan, session.store)
    if bad := next((row for row in rows if row.status not in ("ok", "skipped", "invalid")), None):
        told = ", ".join(bad.names.values())
        hint = f"; run: unlearnbench reproduce {experiment.name}" if bad.status == "missing" else ""
        raise UserError(f"{experiment.name}: {told}, seed {bad.seed}: {bad.status}, {bad.reason}{hint}")
    return Reproduced.of(experiment, session.plan, rows)
