"""Runs the top entries of a board on seeds that nobody could know when they were submitted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Executor
from unlearnbench.hooks.registry import Registry
from unlearnbench.report.hidden import SCHEMA, Hidden, HiddenNumber, hidden_number
from unlearnbench.report.publication import BoardEntry, Publication
from unlearnbench.report.tracks import TRACKS, tables
from unlearnbench.run.environment import fingerprint
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.protocol import entry_plan
from unlearnbench.run.results import by_cell, collect
from unlearnbench.run.runner import Runner
from unlearnbench.run.store import Store
from unlearnbench.submissions.board import publications, read_entries
from unlearnbench.submissions.context import entry_of
from unlearnbench.submissions.findings import RefusedError
from unlearnbench.submissions.schema import Document
from unlearnbench.suite.model import AXES, PluginRef, Suite

MOST: Final = 2**32


@dataclass(frozen=True)
class Reseeding:
    """What is needed to run entries of a suite again on other seeds."""

    suite: Suite
    instances: PluginInstances
    store: Store
    executor: Executor

    def __call__(self, folder: Path, nonce: str, top: int) -> Hidden:
        """Run the ``top`` entries of the board in ``folder`` on hidden seeds, as many as the suite has.

        :class:`UserError` where the board has no such entries, or one of their plug-ins is not here.
        """
        if not nonce.strip():
            raise UserError("--nonce takes a text that was announced after the entries were submitted")
        documents, publication = self._board(folder)
        chosen = top_entries(publication, top)
        seeds = hidden_seeds(self.suite, nonce)
        numbers = [n for entry in chosen for n in self._numbers(self._plugin(documents[entry.id]), seeds)]
        return Hidden.model_validate({
            "schema": SCHEMA,
            "suite_sha256": self.suite.sha256,
            "nonce": nonce,
            "seeds": list(seeds),
            "environment": fingerprint(),
            "entries": {entry.id: entry.digest for entry in chosen},
            "numbers": numbers,
        })  # fmt: skip

    def _board(self, folder: Path) -> tuple[dict[str, Document], Publication]:
        entries, found = read_entries(folder)
        if found:
            raise UserError(str(found[0]), str(folder))
        boards = [board for board in publications(entries) if board.suite_sha256 == self.suite.sha256]
        if not boards:
            raise UserError(f"has no entry of suite {self.suite.name}, version {self.suite.version}", str(folder))
        return {entry.document.id: entry.document for entry in entries}, boards[0]

    def _plugin(self, document: Document) -> PluginRef | None:
        try:
            return entry_of(document, self.suite, self._registry)
        except RefusedError as error:
            raise UserError(str(error.findings[0]), document.id) from None

    @property
    def _registry(self) -> Registry:
        return self.instances.registry

    def _numbers(self, plugin: PluginRef | None, seeds: Sequence[int]) -> Iterator[HiddenNumber]:
        suite = replace(self.suite, seeds=tuple(seeds))
        plan = entry_plan(suite, plugin, self.instances, suite.device)
        Runner(self.instances, self.store, self.executor).run(plan)
        own = (row for row in collect(plan, self.store) if plugin is None or row.axes[plugin.kind].key == plugin.key)
        for rows in by_cell(own).values():
            if found := hidden_number({axis: rows[0].axes[axis].label for axis in AXES}, rows):
                yield found


def hidden_seeds(suite: Suite, nonce: str) -> tuple[int, ...]:
    """Return as many seeds as a suite has, which follow from the nonce and are none of its own."""
    found: dict[int, None] = {}
    number = 0
    while len(found) < len(suite.seeds):
        text = f"{suite.sha256}\n{nonce}\n{number}"
        seed = int(hashlib.sha256(text.encode()).hexdigest(), 16) % MOST
        number += 1
        if seed not in suite.seeds:
            found[seed] = None
    return tuple(found)


def top_entries(publication: Publication, top: int) -> list[BoardEntry]:
    """Return the entries of plug-ins that may be first in most columns and models; ties by date."""
    firsts: dict[str, int] = {}
    for table in tables(publication.rows, publication.roles, TRACKS):
        for line in table.rows:
            entry = publication.entry_of(table.track.compares, line.entry)
            if entry and entry.axis == table.track.compares:
                firsts[entry.id] = firsts.get(entry.id, 0) + sum(rank.best == 1 for rank in line.ranks.values())
    entries = [entry for entry in publication.entries if entry.id in firsts]
    if not entries:
        raise UserError("the board has no entry but the reference entry: there is nothing to run on hidden seeds")
    return sorted(entries, key=lambda entry: (-firsts[entry.id], entry.date, entry.id))[:top]
