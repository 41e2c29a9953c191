"""``unlearnbench store``: what a store holds, whether it is intact, and stores brought together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from unlearnbench.cli.options import AsJson
from unlearnbench.cli.output import echo, epilog, new_app, print_json, print_table
from unlearnbench.core.messages import counted
from unlearnbench.run.merging import merge
from unlearnbench.run.store import Store
from unlearnbench.run.store_files import (
    Damage,
    contents,
    damaged_entries,
    refuse_unless_store,
    remove_unread,
    set_damaged_aside,
)

app = new_app("Describe, verify, repair, clean and merge stores, the folders of results.")

StoreFolder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a store.")]


@app.command("info", epilog=epilog("unlearnbench store info .unlearnbench", "unlearnbench store info results --json"))
def info(folder: StoreFolder, as_json: AsJson = False) -> None:
    """Count entries, failures and other files, and their bytes."""
    found = contents(Store(folder))
    if as_json:
        print_json({category: asdict(stored) for category, stored in found.items()})
        return
    print_table([(name, each.files, each.bytes) for name, each in found.items()], headers=("what", "files", "bytes"))


@app.command("verify", epilog=epilog("unlearnbench store verify .unlearnbench"))
def verify(folder: StoreFolder, as_json: AsJson = False) -> None:
    """Read every entry and compare it with its checksums. The exit code is 1 if one is damaged.

    A damaged entry counts as none: the next run makes it again.
    """
    damaged = damaged_entries(Store(folder))
    _print_damaged(damaged, "damaged", as_json)
    if damaged:
        raise typer.Exit(1)


@app.command("repair", epilog=epilog("unlearnbench store repair .unlearnbench --dry-run"))
def repair(
    folder: StoreFolder,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be set aside.")] = False,
    as_json: AsJson = False,
) -> None:
    """Set damaged entries aside, so that the next run makes them again. Sound entries stay as they are.

    What is set aside is renamed; `unlearnbench store gc` removes it. Runs may use the store meanwhile.
    """
    store = Store(folder)
    if dry_run:
        _print_damaged(damaged_entries(store), "would set aside", as_json)
    else:
        _print_damaged(set_damaged_aside(store), "set aside", as_json)


def _print_damaged(damaged: Sequence[Damage], word: str, as_json: bool) -> None:
    if as_json:
        print_json([asdict(each) for each in damaged])
    else:
        lines = [f"{word}: {each.kind} {each.key} ({each.reason})" for each in damaged]
        echo("\n".join(lines) or "every entry is intact")


@app.command("gc", epilog=epilog("unlearnbench store gc .unlearnbench"))
def gc(folder: StoreFolder, as_json: AsJson = False) -> None:
    """Remove what no run reads any more.

    This is what was set aside as damaged, entries of earlier versions, and what killed runs left.
    """
    removed = remove_unread(Store(folder))
    if as_json:
        print_json(asdict(removed))
    else:
        echo(f"removed {counted(removed.files, 'file')}, {counted(removed.bytes, 'byte')}")


@app.command("merge", epilog=epilog("unlearnbench store merge shard-1 shard-2 shard-3 --into results"))
def merge_stores(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="The stores to copy from.")],
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="The store to copy to; made if there is none.")],
    as_json: AsJson = False,
) -> None:
    """Copy the results of several stores into one.

    The stores may be those of the shards of a run. Every entry is verified. Entries that are in both must hold the same
    results, apart from wall times. The exit code is 1 if entries were damaged: they are left out.
    """
    sources = [Store(folder) for folder in folders]
    for source in sources:
        refuse_unless_store(source)  # UserError for a folder that is no store, before anything is copied
    target = Store(into)
    target.make_ready()
    found = {str(source.root): merge(source, target) for source in sources}
    if as_json:
        print_json({name: asdict(merged) for name, merged in found.items()})
    else:
        columns = ("copied", "present", "damaged", "failures")
        lines = [(name, *(getattr(merged, column) for column in columns)) for name, merged in found.items()]
        print_table(lines, headers=("store", *columns))
    if any(merged.damaged for merged in found.values()):
        raise typer.Exit(1)
