"""``unlearnbench reconstruct``: how exactly the parameters of linear models reveal deleted records."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from unlearnbench.audit.reconstruction import Loss, Parameters, Reconstruction, read_parameters, reconstruct
from unlearnbench.cli.options import AsJson
from unlearnbench.cli.output import echo, print_json, print_table
from unlearnbench.core.messages import counted
from unlearnbench.report.numbers import number

EXAMPLES = (
    "unlearnbench reconstruct parameters.npz",
    "unlearnbench reconstruct parameters.npz --loss squared --penalty 0.5 --json",
)


def command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Parameters before and after deletions: .npz; see docs/audit.md.")
    ],
    loss: Annotated[
        Loss, typer.Option("--loss", help="What the models minimize: logistic (two classes), or half the squared loss.")
    ] = "logistic",
    penalty: Annotated[
        float,
        typer.Option("--penalty", min=0, help="Weight of half the squared parameters beside the sum of the losses."),
    ] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Reconstruct deleted records from the parameters of linear models before and after the deletion.

    FILE has the arrays before, after and deleted, a row for each deletion, sample, records of the adversary's, and
    records, the size of the training set. A feature of 1 stands for the intercept.
    """
    given = read_parameters(file)
    found = reconstruct(given, loss, penalty)
    if as_json:
        print_json(_to_dict(given, found))
    else:
        _print(given, found)


def _to_dict(given: Parameters, found: Reconstruction) -> dict[str, object]:
    return {
        "file": given.file.name,
        "deletions": len(found.cosines),
        "unchanged": found.unchanged,
        "intervals_over": "originals" if found.by_original else "deletions",
        "cosine": asdict(found.cosine),
        "baseline": asdict(found.baseline),
        "cosines": found.cosines.tolist(),
        "baselines": found.baselines.tolist(),
    }


def _print(given: Parameters, found: Reconstruction) -> None:
    over = "original models" if found.by_original else "deletions, for these models only"
    counts = f"{counted(len(found.cosines), 'deletion')}, {found.unchanged} changed no parameter"
    echo(f"{given.file.name}: {counts}; intervals over {over}\n")
    lines = [["from the parameters", number(found.cosine)], ["mean of the sample", number(found.baseline)]]
    print_table(lines, headers=("guess", "cosine with the deleted record"))
