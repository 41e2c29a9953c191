"""What models answer about noisy copies of queried records: as an episode keeps it, and laid out for views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.copies import SCALES, CopyAnswers, copy_ids, noisy_copies
from unlearnbench.core.observations import Needs, Observations
from unlearnbench.core.records import Records
from unlearnbench.core.scenarios import Queries
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.querying import query
from unlearnbench.run.query_set import Neighbourhood

Ids = NDArray[np.int64]
Answers = NDArray[np.float64]


def ask_copies(records: Records, around: Sequence[Neighbourhood], copies: int, seeds: SeedPath) -> Observations:
    """Return what the models answer about noisy copies of the records that requests query, as :func:`copy_rows`."""

    def rows(one: Neighbourhood) -> Observations:
        points = noisy_copies(records, one.queried.ids, copies, seeds).reshape(-1, *records.x.shape[1:])
        answers = query([one.original, one.last], points, records.n_classes)
        return copy_rows(records, one.queried, one.place, answers)

    return Observations.concatenate([rows(one) for one in around])


def copy_rows(records: Records, queried: Queries, place: tuple[int, int], answers: Answers) -> Observations:
    """Return one row for each copy of the records that one request queries, all copies of a record side by side.

    ``place`` is the number of the original and of the request; ``answers`` (2, n * copies * S, C) are those of the
    original and of the last version.
    """
    n, copies = len(queried.ids), answers.shape[1] // max(len(queried.ids) * len(SCALES), 1)
    each = copies * len(SCALES)
    rows = n * each
    return Observations(
        before=answers[0],
        after=answers[1][:, None],
        versions=np.ones(rows, dtype=np.int64),
        member=np.zeros((rows, 2), dtype=np.bool_),
        label=np.repeat(records.y[queried.ids], each),
        record=copy_ids(records, queried.ids, copies).ravel(),
        episode=np.full(rows, place[0], dtype=np.int64),
        request=np.full(rows, place[1], dtype=np.int64),
        role=np.repeat(queried.role, each),
        position=np.tile(np.arange(each), n),
    )


@dataclass(frozen=True, eq=False)
class CopyTable:
    """The answers about the K copies, at S scales, of q queried records."""

    records: int
    """How many records the data set has."""
    code: Ids
    """A number for each (original, request, record) (q,), ascending."""
    before: Answers
    """Log-posteriors (q, K, S, C) by the original."""
    after: Answers
    """Log-posteriors (q, K, S, C) by the last unlearned version."""
    requests: int
    """How many requests an original has, at most."""

    @classmethod
    def of(cls, rows: Observations, records: int) -> CopyTable:
        """Lay out rows as :func:`copy_rows` makes them, of a data set of so many records."""
        each, requests = int(rows.position.max()) + 1, int(rows.request.max()) + 1
        first = rows.take(rows.position == 0)
        pair = first.episode * requests + first.request
        code, order = np.unique(pair * records + first.record - records, return_index=True)
        shape = (len(first), each // len(SCALES), len(SCALES), rows.before.shape[1])
        before, after = (answers.reshape(shape)[order] for answers in (rows.before, rows.last))
        return cls(records, code, before, after, requests)

    @property
    def count(self) -> int:
        """How many copies there are of a record at each scale."""
        return int(self.before.shape[1])

    def about(self, episode: Ids, request: Ids, record: Ids, needs: Needs) -> CopyAnswers:
        """Return what an attack of these needs may read beside these rows (n,), all of which are in the table."""
        rows = np.searchsorted(self.code, (episode * self.requests + request) * self.records + record)
        nothing = np.empty((len(rows), 0, 0, 0))
        return CopyAnswers(
            self.before[rows, : needs.copies] if needs.sees_original else nothing,
            self.after[rows, : needs.copies] if needs.sees_unlearned else nothing,
        )
