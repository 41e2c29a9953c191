"""Makes a submission of a finished run: metadata, and the scores that every metric can be computed from again."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.hashing import canonical_json
from unlearnbench.engine.workers import one_thread
from unlearnbench.hooks.records import Plugin
from unlearnbench.hooks.registry import Registered, Registry
from unlearnbench.report.publication import Publication
from unlearnbench.run.cells import Cell, CellGroup, Plan
from unlearnbench.run.failures import MissingError
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.progress import progress
from unlearnbench.run.results import Row, collect
from unlearnbench.run.store import Store
from unlearnbench.submissions import arrays
from unlearnbench.submissions.arrays import ArrayPool
from unlearnbench.submissions.reading import DOCUMENT
from unlearnbench.submissions.record import CellRecord, RecordingEvaluator
from unlearnbench.submissions.schema import NAME, SCHEMA, EstimatePart, digest_of, id_of
from unlearnbench.suite.messages import one_line, shown
from unlearnbench.suite.model import AXES, Suite

AGAIN = "run the suite again with --rerun all"
_NOT_DECLARED = frozenset(field.name for field in fields(Plugin)) | {"tests_sample", "knows_truth", "primary"}
"""Fields of records that say how a run uses a plug-in; a submission does not repeat them."""


@dataclass(frozen=True)
class Entry:
    """Who enters what: the name of the entry as tables show it, and its author."""

    name: str
    author: str

    def __post_init__(self) -> None:
        for flag, text in (("--name", self.name), ("--author", self.author)):
            if not re.fullmatch(NAME, text):
                raise UserError(
                    f"{flag}: must be up to 100 letters, digits, spaces or .,'()&+@- and not {one_line(shown(text))}"
                )


def pack(plan: Plan, instances: PluginInstances, store: Store, entry: Entry, leaderboards: Path) -> Path:
    """Write the submission of a run and return its folder.

    Every cell is judged once more from the stored episodes: scores that do not come out as they were stored are of no
    use to anyone. Raises :class:`UserError` where the run is unfinished, failed, or cannot be repeated here.
    """
    rows = collect(plan, store)
    _check_finished(plan, rows)
    environment = Publication.of(plan, rows, store, instances.registry).environment
    packer = _Packer(instances, store)
    with one_thread(), progress("judging again", len(plan.cells), shown=True) as advance:
        benches = [packer.bench(bench, advance) for bench in plan.groups]
    _fill(benches, len(packer.metrics))
    packed = packer.pool.packed()
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "name": entry.name,
        "author": entry.author,
        "suite": plan.suite.to_dict(),
        "suite_sha256": plan.suite.sha256,
        "environment": dict(environment),
        "plugins": plugin_table(plan.full, instances.registry),
        "cost": _cost(plan, store),
        "metrics": packer.metrics,
        "estimates": packer.estimates.entries,
        "benches": benches,
        "skipped": skipped_cells(plan),
        "arrays": len(packer.pool),
        "arrays_sha256": hashlib.sha256(packed).hexdigest(),
    }
    digest = digest_of(document)
    document |= {"id": id_of(entry.name, digest), "digest": digest}
    return _write(leaderboards / plan.suite.name / "submissions" / document["id"], document, packed)


def _fill(benches: Sequence[Mapping[str, Any]], metrics: int) -> None:
    """Give every cell an entry for each metric; one that only later cells have is null."""
    for cell in (cell for bench in benches for cell in bench["cells"]):
        cell["estimates"] += [None] * (metrics - len(cell["estimates"]))


def _check_finished(plan: Plan, rows: Sequence[Row]) -> None:
    bad = [row for row in rows if row.seed is not None and row.status not in ("ok", "skipped", "invalid")]
    if bad:
        counts = Counter(f"{row.status}: {row.reason}" for row in bad)
        told = "; ".join(f"{count} cells {reason}" for reason, count in counts.most_common(3))
        raise UserError(f"suite {plan.suite.name} is not finished: {told}; run it to its end, then pack it")


class _Table:
    """Plain entries, equal ones once, called by their number."""

    def __init__(self) -> None:
        self.entries: list[dict[str, object]] = []
        self._places: dict[str, int] = {}

    def add(self, entry: dict[str, object]) -> int:
        place = self._places.setdefault(canonical_json(entry), len(self.entries))
        if place == len(self.entries):
            self.entries.append(entry)
        return place


class _Packer:
    """Collects what the cells of a run gave."""

    def __init__(self, instances: PluginInstances, store: Store) -> None:
        self.pool = ArrayPool()
        self.estimates = _Table()
        self.metrics: list[str] = []
        self._workshop = instances
        self._store = store

    def bench(self, bench: CellGroup, advance: Callable[[], None]) -> dict[str, Any]:
        """Return what ``submission.json`` says of a bench."""
        try:
            judge = RecordingEvaluator.load(bench, self._store, self._workshop)
        except MissingError as error:
            raise UserError(f"an episode of the run is gone ({error}); {AGAIN}") from None
        first, shared = bench.target[0], judge.bench(bench)
        add = self.pool.add
        head: dict[str, str] = {axis: getattr(first, axis).label for axis in AXES[1:4]}
        cells = [self._cell(judge, key, cell, advance) for key, cell in bench.cells.items()]
        return {
            "dataset": next(iter(bench.cells.values())).dataset.label,
            **head,
            "seed": first.seed,
            "engine": first.engine,
            "device": first.device,
            "matched": add(shared.matched),
            "accuracies": add(shared.accuracies),
            "seconds": add(shared.seconds),
            "epsilon": None if shared.epsilon is None else add(shared.epsilon),
            "cells": cells,
        }

    def _cell(self, judge: RecordingEvaluator, key: str, cell: Cell, advance: Callable[[], None]) -> dict[str, object]:
        found = judge.record(cell)
        self._check_repeats(key, cell, found)
        advance()
        self.metrics += [name for name in found.estimates if name not in self.metrics]
        told = {name: self.estimates.add(plain_estimate(estimate)) for name, estimate in found.estimates.items()}
        names = ("scores", "baseline", "shadow", "unchanged")
        placed = {name: self.pool.add(getattr(found, name)) for name in names}
        defense, attack = cell.labels["defense"], cell.labels["attack"]
        estimates = [told.get(name) for name in self.metrics]
        return {"defense": defense, "attack": attack, "key": key, **placed, "estimates": estimates}

    def _check_repeats(self, key: str, cell: Cell, found: CellRecord) -> None:
        stored = self._store.get("cell", key)
        if stored is None or not np.array_equal(stored.arrays["scores"], found.scores):
            told = ", ".join(cell.labels.values())
            raise UserError(f"judged again, {told}, seed {cell.seed} gets other scores than are stored; {AGAIN}")


def plain_estimate(estimate: Estimate) -> dict[str, object]:
    """Return what of an estimate is not the default of its :class:`EstimatePart`."""
    defaults = EstimatePart().model_dump()
    return {name: value for name, value in asdict(estimate).items() if value != defaults[name]}


def plugin_table(suite: Suite, registry: Registry) -> list[dict[str, object]]:
    """Return where every plug-in of a suite comes from and what its record declares, each once."""
    listed = [*(ref for refs in suite.axes.values() for ref in refs), *suite.metrics]
    refs = [each for ref in listed for each in ((ref, ref.shadow) if ref.shadow else (ref,))]
    found = {(ref.kind, ref.name): registry.get(ref.kind, ref.name) for ref in refs}
    return [_plugin(found[key]) for key in sorted(found)]


def _plugin(registered: Registered) -> dict[str, object]:
    plugin, source = registered.plugin, registered.source
    declared = {f.name: getattr(plugin, f.name) for f in fields(plugin) if f.name not in _NOT_DECLARED}
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in declared.items()}
    if plugin.kind in ("attack", "unlearner"):  # the words of this schema, whatever a record calls it
        listed["control"] = plugin.role == "control"
    return {
        "kind": plugin.kind,
        "name": plugin.name,
        "revision": plugin.revision,
        "distribution": source.name,
        "version": source.version,
        "sha256": source.sha256,
        "declares": {**listed, "reference": plugin.reference},
    }


def skipped_cells(plan: Plan) -> list[dict[str, object]]:
    """Return the cells that cannot be, with reasons."""
    return [dict(cell.labels) | {"seed": cell.seed, "reason": cell.skipped} for cell in plan.skipped]


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


def _write(folder: Path, document: Mapping[str, Any], packed: bytes) -> Path:
    """Write both files, a list's entry a line: diffs tell."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / arrays.FILE).write_bytes(packed)
    (folder / DOCUMENT).write_text("".join(_lines(document)), encoding="utf-8", newline="\n")
    return folder


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    for i, (key, value) in enumerate(sorted(document.items())):
        yield ",\n" if i else "{\n"
        yield f'"{key}": '
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield "[\n" + ",\n".join(canonical_json(entry) for entry in value) + "\n]"
        else:
            yield canonical_json(value)
    yield "\n}\n"
