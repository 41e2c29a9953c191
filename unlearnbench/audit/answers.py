"""The answers of one side, checked: rows for attacks, and clusters for intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.audit import reading
from unlearnbench.audit.class_order import check_class_order
from unlearnbench.audit.columns import Columns
from unlearnbench.audit.files import read_columns
from unlearnbench.audit.population import population_of
from unlearnbench.core.messages import brief
from unlearnbench.core.observations import Observations
from unlearnbench.core.posteriors import log_of
from unlearnbench.core.scenarios import Role
from unlearnbench.core.seeding import SeedPath
from unlearnbench.stats import MIN_CLUSTERS

Codes = NDArray[np.int64]
Ids = reading.Texts


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers of the models of one side."""

    file: Path
    rows: Observations
    """The answers as attacks take them, with one unlearned version. ``request`` numbers the unlearned models of an
    original; ``label`` is 0 where the file has none."""
    has_label: bool
    """Whether the file has labels."""
    cluster: Codes
    """The cluster (n,) of each row, for intervals."""
    originals: int
    """The number of original models."""
    requests: int
    """The number of deletion requests."""
    by_original: bool
    """Whether clusters are original models; else they are requests, and records that name no request."""
    names: Ids | None
    """The ids of all records as the file has them, if it does: ``rows.record`` holds places in them."""
    group: Ids | None
    """The group (n,) of each row's record, if the file has groups; empty for none."""
    population: Observations
    """What the same models answer about each record of the population: none, if the file has none."""

    @property
    def n_classes(self) -> int:
        """The number of classes."""
        return int(self.rows.before.shape[1])

    def count(self, role: Role) -> int:
        """Return how many rows have this role."""
        return int(np.count_nonzero(self.rows.role == role))

    @property
    def population_size(self) -> int:
        """The number of records of the population."""
        return len(np.unique(self.population.record))

    def take(self, rows: NDArray[np.bool_]) -> Answers:
        """Return the answers with the chosen rows (n,) only."""
        group = None if self.group is None else self.group[rows]
        return replace(self, rows=self.rows.take(rows), cluster=self.cluster[rows], group=group)

    def name(self, record: int) -> str:
        """Return the id of a record, or the number of its row from 0 where the file has none."""
        return reading.record_name(self.names, record)


def read_answers(file: Path) -> Answers:
    """Read and check a file; the first mistake raises :class:`UserError`, which says what would be right."""
    columns = read_columns(file)
    reading.check_names(columns)
    before, after = reading.posteriors(columns)
    n = len(before)
    role = reading.roles(columns, n)
    label = reading.labels(columns, n, before.shape[1])
    has_label = "label" in columns.arrays
    check_class_order(columns, before, after, label if has_label else None, role)
    original, request, record = (reading.ids(columns, name, n) for name in ("original", "request", "record"))
    episode = _codes(_filled(columns, "original", original)) if original is not None else np.zeros(n, dtype=np.int64)
    version = _versions(columns, role, episode, request)
    by_request = _request_clusters(episode, request, n)
    originals = int(episode.max()) + 1
    by_original = originals >= MIN_CLUSTERS
    forgotten, retained = role == Role.FORGOTTEN, role == Role.RETAINED
    rows = Observations(
        before=log_of(before),
        after=log_of(after)[:, None],
        versions=np.ones(n, dtype=np.int64),
        member=np.stack([forgotten | retained, retained], axis=1),
        label=label,
        record=np.arange(n) if record is None else _records(columns, record, episode, version),
        episode=episode,
        request=version,
        role=role,
        position=_positions(episode, version, role),
    )
    requests, group = len(np.unique(by_request[forgotten])), reading.ids(columns, "group", n)
    cluster, asked = episode if by_original else by_request, role != reading.POPULATION
    names = None if record is None else np.unique(record)
    population = population_of(columns, rows, asked, names)
    whole = Answers(file, rows, has_label, cluster, originals, requests, by_original, names, group, population)
    return whole.take(asked)


def _codes(*ids: ArrayLike) -> Codes:
    """Return a number (n,) from 0 for each distinct combination of ids, each (n,)."""
    codes = [np.unique(one, return_inverse=True)[1] for one in ids]
    return np.unique(np.stack(codes), axis=1, return_inverse=True)[1].reshape(-1)


def _filled(columns: Columns, name: str, ids: Ids) -> Ids:
    for row in np.flatnonzero(ids == "")[:1].tolist():
        columns.fail(f"{name} is empty; give it in every row, or leave the column out", row)
    return ids


def _versions(columns: Columns, role: NDArray[np.int8], episode: Codes, request: Ids | None) -> Codes:
    """Return which unlearned model (n,) each row is an answer of.

    Where unseen and retained records name no request, one unlearned model served all requests; where they do, each
    request has its own.
    """
    if request is None:
        return np.zeros(len(role), dtype=np.int64)
    forgotten = role == Role.FORGOTTEN
    for row in np.flatnonzero(forgotten & (request == ""))[:1].tolist():
        columns.fail("a forgotten record has no request; give each one, or leave the column out", row)
    others = request[~forgotten] == ""
    if others.all():
        return np.zeros(len(role), dtype=np.int64)
    for row in np.flatnonzero(~forgotten & (request == ""))[:1].tolist():
        columns.fail("this record has no request and others of its kind have; give all of them one, or none", row)
    version = _codes(episode, request)
    lonely = forgotten & ~np.isin(version, version[role == Role.UNSEEN])
    for row in np.flatnonzero(lonely)[:1].tolist():
        columns.fail(f"request {brief(request[row])} has no unseen records to compare its forgotten ones with", row)
    return version


def _request_clusters(episode: Codes, request: Ids | None, n: int) -> Codes:
    """Return the rows that share a request, as codes (n,); a row without a request is a cluster of its own."""
    if request is None:
        return np.arange(n)
    alone = np.where(request == "", np.arange(n) + 1, 0)
    return _codes(episode, request, alone)


def _records(columns: Columns, record: Ids, episode: Codes, version: Codes) -> Codes:
    """Return codes (n,) of the record ids; a pair of models answers for each record once."""
    codes = _codes(_filled(columns, "record", record))
    _, first, back = np.unique(np.stack([episode, version, codes]), axis=1, return_index=True, return_inverse=True)
    first = first[back.reshape(-1)]
    for row in np.flatnonzero(first != np.arange(len(codes)))[:1].tolist():
        columns.fail(f"record {brief(record[row])} is in {columns.row_name(first[row])} too, for the same models", row)
    return codes


def _positions(*groups: ArrayLike) -> Codes:
    """Return each row's position (n,) in its group, in an order that does not depend on that of the file."""
    code = _codes(*groups)
    shuffled = SeedPath(0, ("audit", "position")).permutation(len(code))
    order = shuffled[np.argsort(code[shuffled], kind="stable")]
    size = np.bincount(code)
    position = np.empty(len(code), dtype=np.int64)
    position[order] = np.arange(len(code)) - np.repeat(np.cumsum(size) - size, size)
    return position
