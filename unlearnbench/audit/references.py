"""The answers of an adversary's reference models about the records of an audit, in one file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.audit import reading
from unlearnbench.audit.answers import Answers
from unlearnbench.audit.columns import MATRICES, Columns
from unlearnbench.audit.files import read_columns
from unlearnbench.audit.population import in_order
from unlearnbench.core.messages import brief
from unlearnbench.core.observations import Observations
from unlearnbench.core.posteriors import log_of
from unlearnbench.core.scenarios import Role

NAMES: Final = ("record", "model", "member", *MATRICES)
"""The columns of the file, all of which are needed."""
LEAST: Final = 2
"""Models that must be trained on a record that is judged, and as many that must not: for a standard deviation."""
MEMBER: Final = {"in": True, "out": False}

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class LeftOut:
    """How many records are not judged."""

    unanswered: int
    """Some model does not answer about them."""
    one_sided: int
    """Fewer than :data:`LEAST` models were trained on them, or fewer than that were not."""

    @property
    def total(self) -> int:
        """Both together."""
        return self.unanswered + self.one_sided


@dataclass(frozen=True, eq=False)
class References:
    """What reference models answer about each record, queried or of the population, that all of them answer about."""

    file: Path
    models: tuple[Observations, ...]
    """A row for each of these records, ascending, by model."""

    @property
    def count(self) -> int:
        """The number of models."""
        return len(self.models)

    @property
    def answered(self) -> Codes:
        """The records that all models answer about."""
        return self.models[0].record

    def two_sided(self, models: int) -> Codes:
        """Return the records that enough of the first models are trained on, and enough are not."""
        inside = np.sum([model.member[:, 0] for model in self.models[:models]], axis=0)
        return np.asarray(self.answered[(inside >= LEAST) & (models - inside >= LEAST)])

    def judged(self, target: Answers, models: int) -> Answers:
        """Return the answers about those records that the first models can judge. Nothing is filled in."""
        known = np.isin(target.population.record, self.answered)
        population = in_order(target.population.take(known))
        return replace(target.take(np.isin(target.rows.record, self.two_sided(models))), population=population)

    def left_out(self, target: Answers) -> dict[str, LeftOut]:
        """Return how many queried records of each role, and of the population, are not judged, and why."""
        asked = {name: target.rows.record[target.rows.role == role] for name, role in reading.ROLES.items()}
        found = {name: self._left_out(records) for name, records in asked.items()}
        population = np.unique(target.population.record)
        return {**found, "population": LeftOut(int((~np.isin(population, self.answered)).sum()), 0)}

    def _left_out(self, records: Codes) -> LeftOut:
        answered, judged = (np.isin(records, known) for known in (self.answered, self.two_sided(self.count)))
        return LeftOut(int((~answered).sum()), int((answered & ~judged).sum()))


def read_references(file: Path, target: Answers) -> References:
    """Read and check a file with a row for each record and model; the first mistake raises :class:`UserError`.

    Rows of records that the target was not asked about are passed over.
    """
    columns = read_columns(file)
    reading.check_names(columns, NAMES, NAMES)
    if target.names is None or not target.has_label:
        columns.fail(f"needs the columns record and label in {target.file.name}, to know which record a row is about")
    before, after = reading.posteriors(columns)
    if before.shape[1] != target.n_classes:
        columns.fail(f"has {before.shape[1]} classes, {target.file.name} has {target.n_classes}")
    place, member = _places(columns, target.names, len(before)), _members(columns, len(before))
    if not place.size:
        columns.fail(f"has no answer about a record of {target.file.name}")
    complete = np.flatnonzero((place >= 0).all(axis=1))
    _check_population(columns, place[np.unique(target.population.record)], member)
    found = References(file, _models(place[complete], before, after, member, _labels(target)[complete], complete))
    _check_some_left(columns, found, target)
    return found


def _labels(target: Answers) -> Codes:
    """Return the label (r,) of each record that the target was asked about."""
    asked = target.rows, target.population
    records, labels = (np.concatenate([getattr(rows, name) for rows in asked]) for name in ("record", "label"))
    return np.asarray(labels[np.unique(records, return_index=True)[1]])


def _places(columns: Columns, names: reading.Texts, n: int) -> Codes:
    """Return the row of the file (r, N) with the answer about each named record by each model, -1 where is none."""
    record, model = (reading.texts(columns, name, n) for name in ("record", "model"))
    asked = {name: code for code, name in enumerate(names.tolist())}
    rows = [row for row, name in enumerate(record.tolist()) if name in asked]
    models = {name: number for number, name in enumerate(dict.fromkeys(model[rows].tolist()))}
    place = np.full((len(asked), len(models)), -1)
    for row in rows:
        where = asked[record[row]], models[model[row]]
        if place[where] >= 0:
            both = f"model {brief(model[row])} answers about record {brief(record[row])}"
            columns.fail(f"{both} in {columns.row_name(place[where])} too", row)
        place[where] = row
    return place


def _members(columns: Columns, n: int) -> NDArray[np.bool_]:
    given = reading.texts(columns, "member", n)
    for row in (row for row, text in enumerate(given) if text not in MEMBER):
        columns.fail(f"member {brief(given[row])} must be in, if the model was trained on the record, or out", row)
    return np.array([MEMBER[text] for text in given], dtype=np.bool_)


def _check_population(columns: Columns, place: Codes, member: NDArray[np.bool_]) -> None:
    """Refuse a model that was trained on a record of the population, given the rows about these, -1 for none."""
    rows = place[place >= 0]
    for row in rows[member[rows]][:1].tolist():
        columns.fail("its record is of the population, which no model may be trained on; its member must be out", row)


def _check_some_left(columns: Columns, found: References, target: Answers) -> None:
    """Refuse a file by which no deleted record can be judged, or no unseen one."""
    judged = found.judged(target, found.count)
    for role in (Role.FORGOTTEN, Role.UNSEEN):
        if not judged.count(role):
            answered = np.isin(target.rows.record[target.rows.role == role], found.answered).sum()
            columns.fail(
                f"judges none of {target.count(role)} {role.name.lower()} records: all {found.count} models answer "
                f"about {answered} of them, and {LEAST} must be trained on a record, and {LEAST} not; add models"
            )


def _models(
    place: Codes,
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    member: NDArray[np.bool_],
    label: Codes,
    record: Codes,
) -> tuple[Observations, ...]:
    """Return a row for each of the records (r,) by model, whose answers are in these rows (r, N) of the file."""
    n = len(record)
    return tuple(
        Observations(
            before=log_of(before[rows]),
            after=log_of(after[rows])[:, None],
            versions=np.ones(n, dtype=np.int64),
            member=np.stack([member[rows], np.zeros(n, dtype=np.bool_)], axis=1),
            label=label,
            record=record,
            episode=np.full(n, number, dtype=np.int64),
            request=np.zeros(n, dtype=np.int64),
            role=np.where(member[rows], Role.FORGOTTEN, Role.UNSEEN).astype(np.int8),
            position=np.arange(n),
        )
        for number, rows in enumerate(place.T)
    )
