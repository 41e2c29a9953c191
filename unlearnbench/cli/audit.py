"""``unlearnbench audit``: measure what the answers of your own models before and after a deletion reveal."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import Annotated

import typer

from unlearnbench.audit.answers import read_answers
from unlearnbench.audit.leak import Audit, audit
from unlearnbench.audit.one_run import OneRun, check_coins, one_run_bounds
from unlearnbench.audit.page import (
    GROUP_HEADERS,
    HEADERS,
    MODELS_HEADERS,
    ONE_RUN_HEADERS,
    ONE_RUN_NOTE,
    RECORD_HEADERS,
    about,
    group_note,
    group_table,
    html,
    models_note,
    models_table,
    not_tried,
    one_run_table,
    record_table,
    table,
    to_dict,
)
from unlearnbench.audit.references import read_references
from unlearnbench.audit.verdict import Verdict, judge
from unlearnbench.cli.options import AsJson, DisabledPlugins, PluginFiles
from unlearnbench.cli.output import echo, print_json, print_table
from unlearnbench.core.files import write_whole
from unlearnbench.hooks.registry import load_registry

EXAMPLES = (
    "unlearnbench audit answers.npz",
    "unlearnbench audit answers.csv --shadow shadow.csv --page audit.html",
)


def command(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="The answers of your models: .npz, .csv or .parquet; see docs/audit.md."),
    ],
    shadow: Annotated[
        Path | None,
        typer.Option(
            "--shadow",
            metavar="FILE",
            help="The answers of shadow models in the same form, for attacks that learn from them.",
        ),
    ] = None,
    references: Annotated[
        Path | None,
        typer.Option(
            "--references",
            metavar="FILE",
            help="The answers of reference models about the same records, for attacks on single records.",
        ),
    ] = None,
    coins: Annotated[
        bool,
        typer.Option(
            "--coins",
            help="An independent fair coin decided for each record whether it was trained on and deleted, or never "
            "trained on: also bound epsilon by this one run.",
        ),
    ] = False,
    page: Annotated[
        Path | None, typer.Option("--page", metavar="FILE", help="Write the audit to FILE as an HTML page.")
    ] = None,
    as_json: AsJson = False,
    plugin_file: PluginFiles = None,
    disable_plugin: DisabledPlugins = None,
) -> None:
    """Measure what the answers of your models before and after a deletion reveal about the deleted records.

    FILE has one row for each forgotten, retained and unseen record, and for each record of a population. Its columns
    are the role, the class probabilities of the original model (before_0, before_1, ...) and those of the unlearned
    model (after_0, after_1, ...). The columns label, original, request, record and group are optional.
    """
    registry = load_registry(plugin_file or (), disable_plugin or ())
    target = read_answers(file)
    if coins:
        check_coins(target)
    known = read_references(references, target) if references else None
    done = audit(target, read_answers(shadow) if shadow else None, registry, known)
    verdict, bounds = judge(done), one_run_bounds(done) if coins else []
    if page:
        write_whole(page, html(done, verdict, bounds))
    if as_json:
        print_json(to_dict(done, verdict, bounds))
    else:
        _print(done, verdict, bounds)
        if page:
            echo(f"\nwrote {page}")


def _print(done: Audit, verdict: Verdict, bounds: list[OneRun]) -> None:
    echo(f"{about(done)}\n\n{verdict.headline}\n")
    echo("\n".join(fill(sentence, 100) for sentence in verdict.sentences) + "\n")
    print_table(table(done), headers=HEADERS)
    if lines := group_table(done):
        echo(f"\n{group_note(done)}:\n")
        print_table(lines, headers=GROUP_HEADERS)
    if done.by_models:
        echo(f"\n{models_note(done)}:\n")
        print_table(models_table(done), headers=MODELS_HEADERS)
    if bounds:
        echo(f"\n{ONE_RUN_NOTE}:\n")
        print_table(one_run_table(bounds), headers=ONE_RUN_HEADERS)
    echo("\ndeleted records that stand out most:\n")
    print_table(record_table(done), headers=RECORD_HEADERS)
    if done.left_out:
        echo("\nnot tried:\n")
        echo("\n".join(fill(f"{names}: {reason}", 100) for names, reason in not_tried(done)))
