"""The answers of an adversary's reference models about the records of an audit, in one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.audit import reading
from unlearnbench.audit.answers import Answers
from unlearnbench.audit.columns import MATRICES, Columns
from unlearnbench.audit.files import read_columns
from unlearnbench.core.messages import brief
from unlearnbench.core.observations import Observations
from unlearnbench.core.posteriors import log_of
from unlearnbench.core.scenarios import Role

NAMES: Final = ("record", "model", "member", *MATRICES)
"""The columns of the file, all of which are needed."""
LEAST: Final = 2
"""Models that must be trained on each record, and as many that must not: for a standard deviation."""
MEMBER: Final = {"in": True, "out": False}


@dataclass(frozen=True, eq=False)
class References:
    """What reference models answer about each queried record."""

    file: Path
    models: tuple[Observations, ...]
    """A row for each queried record, ascending, by model."""

    @property
    def count(self) -> int:
        """The number of models."""
        return len(self.models)


def read_references(file: Path, target: Answers) -> References:
    """Read and check a file with a row for each record and model; the first mistake raises :class:`UserError`.

    Rows of records that the target was not asked about are passed over.
    """
    columns = read_columns(file)
    reading.check_names(columns, NAMES, NAMES)
    if target.record is None or not target.has_label:
        columns.fail(f"needs the columns record and label in {target.file.name}, to know which record a row is about")
    before, after = reading.posteriors(columns)
    if before.shape[1] != target.n_classes:
        columns.fail(f"has {before.shape[1]} classes, {target.file.name} has {target.n_classes}")
    place = _places(columns, target, len(before))
    member = _members(columns, len(before))[place]
    _check_sides(columns, member, place)
    label = target.rows.label[np.unique(target.rows.record, return_index=True)[1]]
    own, others = log_of(before)[place], log_of(after)[place]
    return References(
        file, tuple(_model(k, own[:, k], others[:, k], member[:, k], label) for k in range(place.shape[1]))
    )


def _places(columns: Columns, target: Answers, n: int) -> NDArray[np.int64]:
    """Return the row of the file (q, N) with the answer about each queried record, ascending, by each model."""
    record, model = (reading.texts(columns, name, n) for name in ("record", "model"))
    assert target.record is not None  # noqa: S101 - the caller has seen that it is there
    asked = dict(zip(target.record.tolist(), target.rows.record.tolist(), strict=True))
    models = {name: number for number, name in enumerate(dict.fromkeys(model.tolist()))}
    place = np.full((len(set(asked.values())), len(models)), -1)
    for row, (one, name) in enumerate(zip(record.tolist(), model.tolist(), strict=True)):
        if one not in asked:
            continue
        where = asked[one], models[name]
        if place[where] >= 0:
            columns.fail(
                f"model {brief(name)} answers about record {brief(one)} in {columns.row_name(place[where])} too", row
            )
        place[where] = row
    for code, number in np.argwhere(place < 0)[:1].tolist():
        one, name = (next(key for key, own in of.items() if own == k) for of, k in ((asked, code), (models, number)))
        columns.fail(f"model {brief(name)} does not answer about record {brief(one)}; give all answers of each model")
    return place


def _members(columns: Columns, n: int) -> NDArray[np.bool_]:
    given = reading.texts(columns, "member", n)
    for row in (row for row, text in enumerate(given) if text not in MEMBER):
        columns.fail(f"member {brief(given[row])} must be in, if the model was trained on the record, or out", row)
    return np.array([MEMBER[text] for text in given], dtype=np.bool_)


def _check_sides(columns: Columns, member: NDArray[np.bool_], place: NDArray[np.int64]) -> None:
    """Refuse too few models with a record or without it: nothing is filled in."""
    inside = member.sum(axis=1)
    for row in np.flatnonzero((inside < LEAST) | (member.shape[1] - inside < LEAST))[:1].tolist():
        columns.fail(
            f"its record is in the training set of {inside[row]} of {member.shape[1]} models; at least {LEAST} must be "
            f"trained on it and {LEAST} not: add models, or leave the record out of both files",
            int(place[row, 0]),
        )


def _model(
    number: int,
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    member: NDArray[np.bool_],
    label: NDArray[np.int64],
) -> Observations:
    n = len(label)
    return Observations(
        before=before,
        after=after[:, None],
        versions=np.ones(n, dtype=np.int64),
        member=np.stack([member, np.zeros(n, dtype=np.bool_)], axis=1),
        label=label,
        record=np.arange(n),
        episode=np.full(n, number, dtype=np.int64),
        request=np.zeros(n, dtype=np.int64),
        role=np.where(member, Role.FORGOTTEN, Role.UNSEEN).astype(np.int8),
        position=np.arange(n),
    )
