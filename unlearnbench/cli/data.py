"""``unlearnbench data``: which data sets there are, are they at hand and intact, and what is in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Literal, cast

import typer

from unlearnbench.cli.options import AsJson, PluginFiles
from unlearnbench.cli.output import new_app
from unlearnbench.core.dataset_cards import Availability, Card, Fetchable, Located, Way, card
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.errors import UserError
from unlearnbench.hooks.parameters import build
from unlearnbench.hooks.records import DatasetPlugin
from unlearnbench.hooks.registry import Registered, load_registry

app = new_app("List, fetch, check and describe data sets.")


@dataclass(frozen=True)
class Entry:
    """One line of the list; ``available`` is None where only loading the data set would tell."""

    name: str
    available: bool | None
    way: Way
    licence: str
    summary: str
    place: str


@dataclass(frozen=True)
class Verdict:
    """What came of loading a data set. ``message`` says why there is no card, ``place`` where the records came from."""

    name: str
    status: Literal["ok", "absent", "failed"]
    message: str = ""
    way: Way = ""
    place: str = ""
    card: Card | None = None


@app.command("list")
def list_datasets(as_json: AsJson = False, plugin_file: PluginFiles = None) -> None:
    """List all data sets, and where each is or would come from.

    Example: unlearnbench data list
    """
    entries = [_entry(registered) for registered in load_registry(plugin_file or ()).all("dataset")]
    if as_json:
        typer.echo(json.dumps([asdict(entry) for entry in entries], indent=2))
        return
    from tabulate import tabulate

    here = {True: "yes", False: "no", None: "unknown"}
    rows = [(e.name, here[e.available], e.way, e.licence, e.summary) for e in entries]
    typer.echo(tabulate(rows, headers=("name", "here", "way", "licence", "summary"), disable_numparse=True))
    for entry in entries:
        if not entry.available:
            typer.echo(f"\n{entry.name}: {entry.place}")


@app.command()
def fetch(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Which.")],
    as_json: AsJson = False,
    plugin_file: PluginFiles = None,
) -> None:
    """Download data sets into the user's cache, checked by their checksums; what is here already stays as it is.

    Example: unlearnbench data fetch mnist fashion-mnist
    """
    registry = load_registry(plugin_file or ())
    chosen = [registry.get("dataset", name) for name in names]
    fetched = [_fetched(registered) for registered in chosen]
    if as_json:
        typer.echo(json.dumps([asdict(entry) for entry in fetched], indent=2))
        return
    for entry in fetched:
        typer.echo(f"{entry.name}: {entry.place}")


@app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Which; all if left out.")] = None,
    as_json: AsJson = False,
    plugin_file: PluginFiles = None,
) -> None:
    """Load data sets, check their checksums and print their cards.

    Exits with 1 where one fails, or where one that was named is absent.

    Example: unlearnbench data verify adult
    """
    registry = load_registry(plugin_file or ())
    chosen = [registry.get("dataset", name) for name in names] if names else registry.all("dataset")
    verdicts = [_verdict(registered) for registered in chosen]
    typer.echo(json.dumps([asdict(v) for v in verdicts], indent=2) if as_json else _report(verdicts))
    tolerated = {"ok"} if names else {"ok", "absent"}
    if any(verdict.status not in tolerated for verdict in verdicts):
        raise typer.Exit(1)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The data set to describe.")],
    as_json: AsJson = False,
    plugin_file: PluginFiles = None,
) -> None:
    """Print the card of one data set: rows, classes, duplicates, licence, source, checksum.

    Example: unlearnbench data show adult
    """
    described = card(_dataset(load_registry(plugin_file or ()).get("dataset", name)).load())
    typer.echo(json.dumps(asdict(described), indent=2) if as_json else _text(described))


def _dataset(registered: Registered) -> Dataset:
    return cast(Dataset, build(registered, {}))


def _whereabouts(dataset: Dataset) -> Availability | None:
    return dataset.availability() if isinstance(dataset, Located) else None


def _fetched(registered: Registered) -> Entry:
    dataset = _dataset(registered)
    try:
        if isinstance(dataset, Fetchable):
            dataset.fetch()
        elif isinstance(dataset, Located) and not (found := dataset.availability()).available:
            raise UserError(f"cannot be fetched; {found.place}")
    except UserError as error:
        raise UserError(str(error), where=registered.plugin.name) from error
    return _entry(registered)


def _entry(registered: Registered) -> Entry:
    plugin = cast(DatasetPlugin, registered.plugin)
    found, place = None, "it does not say where it is"
    try:
        found = _whereabouts(_dataset(registered))
    except UserError as error:  # a broken plug-in, or one that asks for parameters: a line of the list, not its end
        place = str(error)
    if found is None:
        return Entry(plugin.name, None, "", plugin.licence, plugin.summary, place)
    return Entry(plugin.name, found.available, found.way, plugin.licence, plugin.summary, found.place)


def _verdict(registered: Registered) -> Verdict:
    name = registered.plugin.name
    try:
        dataset = _dataset(registered)
        found = _whereabouts(dataset) or Availability(True, "")
        if not found.available:
            return Verdict(name, "absent", found.place, found.way)
        return Verdict(name, "ok", "", found.way, found.place, card(dataset.load()))
    except Exception as error:  # noqa: BLE001 - whatever a plug-in raises is its verdict; the others are still to be checked
        message = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        return Verdict(name, "failed", message)


def _report(verdicts: Sequence[Verdict]) -> str:
    return "\n\n".join(
        f"{v.name}: {v.status}" + (f"{_by(v)}\n{_text(v.card)}" if v.card else f", {v.message}") for v in verdicts
    )


def _by(verdict: Verdict) -> str:
    return f" ({verdict.way}: {verdict.place})" if verdict.way else ""


def _text(described: Card) -> str:
    classes = ", ".join(f"{name} ({count:,})" for name, count in described.classes)
    lines = {
        "rows": f"{described.rows:,}",
        "features": f"{described.features:,}",
        "classes": f"{len(described.classes)}: {classes}",
        "majority": f"{described.majority:.3f}",
        "duplicates": f"{described.duplicates:,}",
        "licence": described.licence,
        "source": described.source,
        "note": described.note,
        "sha256": described.sha256,
    }
    return "\n".join(f"  {label:<9} {value}" for label, value in lines.items() if value)
