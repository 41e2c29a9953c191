"""Makes a submission of a finished run: metadata, and the scores that every metric can be computed from again."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.hashing import canonical_json
from unlearnbench.core.messages import counted, shown
from unlearnbench.core.metrics import Metric
from unlearnbench.hooks.registry import Registry
from unlearnbench.report.publication import Publication
from unlearnbench.run.cell_results import get_result, is_outdated, measured_sha256
from unlearnbench.run.cells import Cell, CellGroup, Plan
from unlearnbench.run.failures import FailedElsewhereError
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.protocol import entries_of, entry_plan, read_entry
from unlearnbench.run.results import Row, collect
from unlearnbench.run.session import Session
from unlearnbench.run.store import Store
from unlearnbench.submissions.arrays import ArrayPool
from unlearnbench.submissions.derived import group_forget_sets
from unlearnbench.submissions.findings import RefusedError
from unlearnbench.submissions.group_arrays import read_group
from unlearnbench.submissions.listed import plugin_table, skipped_cells
from unlearnbench.submissions.place import Place
from unlearnbench.submissions.reading import Submission, read_submission
from unlearnbench.submissions.reference import reference_entry
from unlearnbench.submissions.schema import SCHEMA, EstimatePart, digest_of, id_of
from unlearnbench.submissions.words import checked_name, normal_name
from unlearnbench.suite.model import AXES, PluginRef, Suite

AGAIN = "run the suite again with --rerun all"


@dataclass(frozen=True)
class Entry:
    """Who enters what: the name of the entry as tables show it, and its author, both in composed letters."""

    name: str
    author: str
    tuned: str = ""
    """How parameters were chosen; empty where nothing was tuned."""
    supersedes: str = ""
    """The id of the author's entry that it takes the place of."""

    def __post_init__(self) -> None:
        for field in ("name", "author"):
            given = getattr(self, field)
            try:
                object.__setattr__(self, field, checked_name(normal_name(given)))
            except ValueError as error:
                raise UserError(f"--{field}: {error}; got {shown(given)}") from None


def pack(
    plan: Plan,
    registry: Registry,
    store: Store,
    entry: Entry,
    place: Place,
    plugin: PluginRef | None = None,
    reference: Submission | None = None,
) -> Path:
    """Write the submission of a run, as it is stored, and return its folder.

    ``plugin`` is what is entered, None for the reference entry, and ``plan`` what it consists of. Arrays that the
    ``reference`` entry has are not stored again. Raises :class:`UserError` where the run is unfinished or failed, or an
    episode of it is gone.
    """
    rows = collect(plan, store)
    _check_finished(plan, rows)
    _check_computable(plan, registry)
    environment = Publication.of(plan, rows, store, registry).environment
    packer = _Packer(store, reference)
    groups = [packer.group(group) for group in plan.groups]
    _fill(groups, len(packer.metrics))
    packed = packer.pool.packed()
    sha256 = hashlib.sha256(packed).hexdigest()
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "name": entry.name,
        "author": entry.author,
        **_optional(entry, plugin),
        "suite": plan.suite.to_dict(),
        "suite_sha256": plan.suite.sha256,
        "environment": dict(environment),
        "plugins": plugin_table(plan.full, registry),
        "cost": _cost(plan, store),
        "metrics": packer.metrics,
        "estimates": packer.estimates.entries,
        "benches": groups,
        "skipped": skipped_cells(plan),
        "arrays": len(packer.pool),
        "arrays_sha256": sha256,
        "arrays_bytes": len(packed),
        **place.address_of(sha256),
        **_shared(reference),
    }
    digest = digest_of(document)
    document |= {"id": id_of(entry.name, digest), "digest": digest}
    return place.write(document, packed)


def pack_all(session: Session, entry: Entry, text: str, place: Place, *, named: bool) -> Iterator[Path]:
    """Write the submission of the plug-in that ``text`` names, or one for each entry of the suite; yield the folders.

    An entry has the name of its plug-in unless it is ``named``. UserError as of :func:`pack`, before anything is
    written.
    """
    suite, registry = session.plan.suite, session.registry
    plugins = [read_entry(text, suite, registry)] if text else [None, *entries_of(suite, registry)]
    plans = [entry_plan(suite, plugin, session.instances, suite.device) for plugin in plugins]
    for plan in plans:
        _check_finished(plan, collect(plan, session.store))
    reference = _reference(place, suite) if text else None
    for plugin, plan in zip(plugins, plans, strict=True):
        keeps = named and (plugin is None or bool(text))
        own = entry if plugin is None or keeps else replace(entry, name=plugin.label.replace("=", " "))
        folder = pack(plan, registry, session.store, own, place, plugin, reference)
        if plugin is None:
            reference = read_submission(folder, place.arrays)[0]
        yield folder


def _reference(place: Place, suite: Suite) -> Submission | None:
    """Return the reference entry of the board that a submission goes to, if its arrays are here."""
    try:
        return reference_entry(place.leaderboards / suite.name / "submissions", suite.sha256, place.arrays)
    except RefusedError:
        return None


def _shared(reference: Submission | None) -> dict[str, object]:
    """Return what a submission says of the entry whose arrays it names."""
    if reference is None:
        return {}
    of = reference.document
    return {"shared": {"entry": of.id, "arrays": of.arrays, "estimates": len(of.estimates), "digest": of.digest}}


def _optional(entry: Entry, plugin: PluginRef | None) -> dict[str, object]:
    """Return what only some submissions have."""
    entered = plugin and {
        "axis": plugin.kind,
        "name": plugin.name,
        "params": dict(plugin.params),
        "label": plugin.label,
    }
    parts = {"entry": entered, "tuned": entry.tuned, "supersedes": entry.supersedes}
    return {name: part for name, part in parts.items() if part}


def _fill(groups: Sequence[Mapping[str, Any]], metrics: int) -> None:
    """Give every cell an entry for each metric, null for one that only later cells have."""
    for cell in (cell for group in groups for cell in group["cells"]):
        cell["estimates"] += [None] * (metrics - len(cell["estimates"]))


def _check_finished(plan: Plan, rows: Sequence[Row]) -> None:
    bad = [row for row in rows if row.seed is not None and row.status not in ("ok", "skipped", "invalid")]
    if bad:
        counts = Counter(f"{row.status}: {row.reason}" for row in bad)
        reasons = "; ".join(f"{counted(count, 'cell')} {reason}" for reason, count in counts.most_common(3))
        raise UserError(f"suite {plan.suite.name} is not finished: {reasons}; run it to its end, then pack it")


def _check_computable(plan: Plan, registry: Registry) -> None:
    """Refuse metrics that cannot be computed from a submission; UserError names them."""
    if not any(group.references_of_metrics for group in plan.groups):
        return
    make = PluginInstances(registry).make
    names = [ref.name for ref in plan.full.metrics if make(ref, Metric).reads_references]
    raise UserError(
        f"suite {plan.suite.name}: {', '.join(names)} reads reference models, which a submission does not hold; leave "
        "it out of the suite"
    )


class _Table:
    """Plain entries, equal ones once, referred to by index; those that are ``shared`` are not written."""

    def __init__(self, shared: Iterable[dict[str, object]]) -> None:
        self.entries: list[dict[str, object]] = []
        self._indices = {canonical_json(entry): index for index, entry in enumerate(shared)}
        self._first = len(self._indices)

    def add(self, entry: dict[str, object]) -> int:
        index = self._indices.setdefault(canonical_json(entry), self._first + len(self.entries))
        if index == self._first + len(self.entries):
            self.entries.append(entry)
        return index


class _Packer:
    """Collects the results of a run's cells."""

    def __init__(self, store: Store, reference: Submission | None) -> None:
        self.pool = ArrayPool(reference.arrays if reference else None)
        estimates = reference.document.estimates if reference else []
        self.estimates = _Table(each.model_dump(exclude_unset=True) for each in estimates)
        self.metrics: list[str] = []
        self._store = store

    def group(self, group: CellGroup) -> dict[str, Any]:
        """Return the entry of a group in ``submission.json``."""
        try:
            shared = read_group(group, self._store)
        except FailedElsewhereError as error:
            raise UserError(f"an episode of the run is gone ({error}); {AGAIN}") from None
        self._check_current(group)
        first, shadow, add = group.target[0], group.shadow[0], self.pool.add
        head: dict[str, str] = {axis: getattr(first, axis).label for axis in AXES[1:4]}
        cells = [self._cell(key, cell) for key, cell in group.cells.items()]
        same_setting = (first.engine, first.device) == (shadow.engine, shadow.device)
        return {
            "dataset": next(iter(group.cells.values())).dataset.label,
            **head,
            "seed": first.seed,
            "engine": first.engine,
            "device": first.device,
            **({} if same_setting else {"shadow": {"engine": shadow.engine, "device": shadow.device}}),
            "forget_sets": self._forget_sets(group),
            **{name: None if array is None else add(array) for name, array in vars(shared).items()},
            "cells": cells,
        }

    def _check_current(self, group: CellGroup) -> None:
        """Refuse cells that were computed from other models than those that are packed: their seconds are others."""
        measured = measured_sha256(self._store, group)
        for key, cell in group.cells.items():
            if is_outdated(self._store.payload("cell", key) or {}, measured):
                names = ", ".join(cell.labels.values())
                raise UserError(f"models of {names}, seed {cell.seed}, were made again since; run the suite again")

    def _forget_sets(self, group: CellGroup) -> str:
        payloads = (self._store.payload("episode", task.key) or {} for task in group.target + group.shadow)
        return group_forget_sets(str(payload.get("forget_sets")) for payload in payloads)

    def _cell(self, key: str, cell: Cell) -> dict[str, object]:
        result = get_result(self._store, key)
        if result is None:
            raise UserError(f"the result of {', '.join(cell.labels.values())}, seed {cell.seed}, is gone; {AGAIN}")
        self.metrics += [name for name in result.estimates if name not in self.metrics]
        estimates = {name: self.estimates.add(plain_estimate(one)) for name, one in result.estimates.items()}
        arrays = {name: self.pool.add(array) for name, array in vars(result.scores).items()}
        labels = {"defense": cell.labels["defense"], "attack": cell.labels["attack"]}
        return {**labels, "key": key, **arrays, "estimates": [estimates.get(name) for name in self.metrics]}


def plain_estimate(estimate: Estimate) -> dict[str, object]:
    """Return the fields of an estimate that differ from the defaults of :class:`EstimatePart`."""
    defaults = EstimatePart().model_dump()
    return {name: value for name, value in asdict(estimate).items() if value != defaults[name]}


def _cost(plan: Plan, store: Store) -> dict[str, float]:
    """Return wall seconds over all episodes; stored are those of one training and of one request, on average."""
    train = unlearn = 0.0
    for key in plan.episodes:
        entry = store.get("episode", key)
        if entry is not None:
            seconds: Any = entry.payload["seconds"]
            train += seconds["train"]
            unlearn += seconds["unlearn"] * len(entry.arrays["accuracy-test_unlearned"])
    return {"train_seconds": train, "unlearn_seconds": unlearn}
