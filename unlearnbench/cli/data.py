"""``unlearnbench data``: which data sets there are, whether they are available and intact, and what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Literal, cast

import typer

from unlearnbench.cli.options import AsJson, PluginFiles
from unlearnbench.cli.output import echo, epilog, new_app, print_json, print_table
from unlearnbench.core.dataset_cards import Availability, DatasetCard, Fetchable, Located, Origin, card
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.errors import UserError, describe_error
from unlearnbench.core.plugin_calls import plugin_call
from unlearnbench.hooks.parameters import build
from unlearnbench.hooks.records import DatasetPlugin
from unlearnbench.hooks.registry import Registered, load_registry

app = new_app("List, download, verify and describe data sets.")


@dataclass(frozen=True)
class ListedDataset:
    """One line of the list."""

    name: str
    available: bool | None
    """None where the data set must be loaded to know."""
    origin: Origin
    licence: str
    summary: str
    place: str
    """Its path, how to get it, or why neither is known."""


@dataclass(frozen=True)
class VerifiedDataset:
    """What came of loading a data set."""

    name: str
    status: Literal["ok", "absent", "failed"]
    message: str = ""
    """Why there is no card."""
    origin: Origin = ""
    place: str = ""
    """Where the records came from."""
    card: DatasetCard | None = None


@app.command("list", epilog=epilog("unlearnbench data list", "unlearnbench data list --json"))
def list_datasets(as_json: AsJson = False, plugin_file: PluginFiles = None) -> None:
    """List all data sets, and where each one is or how to get it."""
    datasets = [_listed(registered) for registered in load_registry(plugin_file or ()).all("dataset")]
    if as_json:
        print_json([asdict(dataset) for dataset in datasets])
        return
    available = {True: "yes", False: "no", None: "unknown"}
    rows = [(each.name, available[each.available], each.origin, each.licence, each.summary) for each in datasets]
    print_table(rows, headers=("name", "available", "origin", "licence", "summary"))
    for dataset in datasets:
        if not dataset.available:
            echo(f"\n{dataset.name}: {dataset.place}")


@app.command(epilog=epilog("unlearnbench data fetch mnist fashion-mnist"))
def fetch(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="The data sets to download.")],
    as_json: AsJson = False,
    plugin_file: PluginFiles = None,
) -> None:
    """Download data sets to the user's cache.

    Downloads are checked by their checksums. Data sets that are available already are left as they are.
    """
    registry = load_registry(plugin_file or ())
    chosen = [registry.get("dataset", name) for name in names]
    fetched = [_fetched(registered) for registered in chosen]
    if as_json:
        print_json([asdict(dataset) for dataset in fetched])
        return
    for dataset in fetched:
        echo(f"{dataset.name}: {dataset.place}")


@app.command(epilog=epilog("unlearnbench data verify", "unlearnbench data verify adult --json"))
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="The data sets to verify; all by default.")
    ] = None,
    as_json: AsJson = False,
    plugin_file: PluginFiles = None,
) -> None:
    """Load data sets, check their checksums and describe them.

    The exit code is 1 if a data set fails, or if one that was named is not available.
    """
    registry = load_registry(plugin_file or ())
    chosen = [registry.get("dataset", name) for name in names] if names else registry.all("dataset")
    verified = [_verified(registered) for registered in chosen]
    if as_json:
        print_json([asdict(dataset) for dataset in verified])
    else:
        echo(_report(verified))
    tolerated = {"ok"} if names else {"ok", "absent"}
    if any(dataset.status not in tolerated for dataset in verified):
        raise typer.Exit(1)


@app.command(epilog=epilog("unlearnbench data show adult", "unlearnbench data show adult --json"))
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The data set to describe.")],
    as_json: AsJson = False,
    plugin_file: PluginFiles = None,
) -> None:
    """Describe one data set.

    Prints the number of rows, features, classes and duplicates, the licence, the source and the checksum.
    """
    described = _described(load_registry(plugin_file or ()).get("dataset", name))
    if as_json:
        print_json(asdict(described))
    else:
        echo(_text(described))


def _dataset(registered: Registered) -> Dataset:
    return cast(Dataset, build(registered, {}))


@plugin_call()
def _described(registered: Registered) -> DatasetCard:
    try:
        return card(_dataset(registered).load())
    except Exception as error:  # a plug-in may raise anything
        raise UserError(describe_error(error), where=registered.plugin.name) from error


def _availability(dataset: Dataset) -> Availability | None:
    return dataset.availability() if isinstance(dataset, Located) else None


@plugin_call()
def _fetched(registered: Registered) -> ListedDataset:
    dataset = _dataset(registered)
    try:
        if isinstance(dataset, Fetchable):
            dataset.fetch()
        elif isinstance(dataset, Located) and not (found := dataset.availability()).available:
            raise UserError(f"cannot be downloaded; {found.place}")
    except UserError as error:
        raise UserError(str(error), where=registered.plugin.name) from error
    return _listed(registered)


@plugin_call()
def _listed(registered: Registered) -> ListedDataset:
    plugin = cast(DatasetPlugin, registered.plugin)
    found, place = None, "must be loaded to know whether it is available"
    try:
        found = _availability(_dataset(registered))
    except UserError as error:  # a broken plug-in, or one with a required parameter: the others are still listed
        place = str(error)
    if found is None:
        return ListedDataset(plugin.name, None, "", plugin.licence, plugin.summary, place)
    return ListedDataset(plugin.name, found.available, found.origin, plugin.licence, plugin.summary, found.place)


@plugin_call()
def _verified(registered: Registered) -> VerifiedDataset:
    name = registered.plugin.name
    try:
        dataset = _dataset(registered)
        found = _availability(dataset) or Availability(True, "")
        if not found.available:
            return VerifiedDataset(name, "absent", found.place, found.origin)
        return VerifiedDataset(name, "ok", "", found.origin, found.place, card(dataset.load()))
    except Exception as error:  # noqa: BLE001 - whatever a plug-in raises is reported; the others are still checked
        message = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        return VerifiedDataset(name, "failed", message)


def _report(datasets: Sequence[VerifiedDataset]) -> str:
    return "\n\n".join(
        f"{each.name}: {each.status}" + (f"{_origin(each)}\n{_text(each.card)}" if each.card else f", {each.message}")
        for each in datasets
    )


def _origin(dataset: VerifiedDataset) -> str:
    return f" ({dataset.origin}: {dataset.place})" if dataset.origin else ""


def _text(described: DatasetCard) -> str:
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
