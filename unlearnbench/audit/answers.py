"""One side's answers, checked: rows for attacks, and which of them an interval may take for independent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.audit import reading
from unlearnbench.audit.columns import Columns, read_columns
from unlearnbench.core.observations import Observations
from unlearnbench.core.posteriors import log_of
from unlearnbench.core.scenarios import Role
from unlearnbench.core.seeding import SeedPath
from unlearnbench.stats import MIN_CLUSTERS

Codes = NDArray[np.int64]
Ids = NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Answers:
    """What the models of one side answered.

    rows: as any attack takes them, with one unlearned version; ``request`` numbers the unlearned models of an original,
    ``label`` is 0 where the file does not tell · cluster (n,): rows that an interval takes for one · originals,
    requests: how many there are · by_original: clusters are original models; else requests, and single other records.
    """

    file: Path
    rows: Observations
    has_label: bool
    cluster: Codes
    originals: int
    requests: int
    by_original: bool

    @property
    def n_classes(self) -> int:
        """The number of classes."""
        return int(self.rows.before.shape[1])

    def count(self, role: Role) -> int:
        """Return how many rows have this role."""
        return int(np.count_nonzero(self.rows.role == role))

    def samples(self, role: Role) -> int:
        """Return how many clusters the rows of this role make."""
        return len(np.unique(self.cluster[self.rows.role == role]))


def read_answers(file: Path) -> Answers:
    """Read and check a file; the first thing that is wrong raises :class:`UserError`, with what would be right."""
    columns = read_columns(file)
    reading.check_names(columns)
    before, after = reading.posteriors(columns)
    n = len(before)
    role = reading.roles(columns, n)
    original, request, record = (reading.ids(columns, name, n) for name in ("original", "request", "record"))
    episode = _codes(_filled(columns, "original", original)) if original is not None else np.zeros(n, dtype=np.int64)
    version = _versions(columns, role, episode, request)
    asked = _together(episode, request, n)
    originals = int(episode.max()) + 1
    by_original = originals >= MIN_CLUSTERS
    forgotten, retained = role == Role.FORGOTTEN, role == Role.RETAINED
    rows = Observations(
        before=log_of(before),
        after=log_of(after)[:, None],
        versions=np.ones(n, dtype=np.int64),
        member=np.stack([forgotten | retained, retained], axis=1),
        label=reading.labels(columns, n, before.shape[1]),
        record=np.arange(n) if record is None else _records(columns, record, episode, version),
        episode=episode,
        request=version,
        role=role,
        position=_positions(episode, version, role),
    )
    cluster = episode if by_original else asked
    has_label = "label" in columns.arrays
    return Answers(file, rows, has_label, cluster, originals, len(np.unique(asked[forgotten])), by_original)


def _codes(*ids: ArrayLike) -> Codes:
    """Return a number (n,) from 0 for each distinct combination of ids, each (n,)."""
    codes = [np.unique(one, return_inverse=True)[1] for one in ids]
    return np.unique(np.stack(codes), axis=1, return_inverse=True)[1].reshape(-1)


def _filled(columns: Columns, name: str, ids: Ids) -> Ids:
    for row in np.flatnonzero(ids == "")[:1].tolist():
        columns.fail(f"{name} is empty; give it in every row, or leave the column out", row)
    return ids


def _versions(columns: Columns, role: NDArray[np.int8], episode: Codes, request: Ids | None) -> Codes:
    """Return which unlearned model (n,) each row was asked of.

    Where unseen and retained records name no request, one unlearned model has served all; where they do, each request
    has one of its own.
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
        columns.fail(f"request {str(request[row])!r} has no unseen records to tell its forgotten ones from", row)
    return version


def _together(episode: Codes, request: Ids | None, n: int) -> Codes:
    """Return the rows that share a request, as codes (n,); a row without one stands by itself."""
    if request is None:
        return np.arange(n)
    alone = np.where(request == "", np.arange(n) + 1, 0)
    return _codes(episode, request, alone)


def _records(columns: Columns, record: Ids, episode: Codes, version: Codes) -> Codes:
    """Return codes (n,) of the record ids, of which a pair of models is asked each but once."""
    codes = _codes(_filled(columns, "record", record))
    _, first, back = np.unique(np.stack([episode, version, codes]), axis=1, return_index=True, return_inverse=True)
    first = first[back.reshape(-1)]
    for row in np.flatnonzero(first != np.arange(len(codes)))[:1].tolist():
        columns.fail(f"record {str(record[row])!r} stands in {columns.place(first[row])} too, of the same models", row)
    return codes


def _positions(*groups: ArrayLike) -> Codes:
    """Return each row's place (n,) in its group, in an order that has nothing to do with that of the file."""
    code = _codes(*groups)
    shuffled = SeedPath(0, ("audit", "position")).permutation(len(code))
    order = shuffled[np.argsort(code[shuffled], kind="stable")]
    size = np.bincount(code)
    place = np.empty(len(code), dtype=np.int64)
    place[order] = np.arange(len(code)) - np.repeat(np.cumsum(size) - size, size)
    return place
