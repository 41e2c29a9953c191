"""The population of an audit: records that no model was trained on, which a record's answer is ranked among."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unlearnbench.audit.columns import Columns
from unlearnbench.audit.reading import Texts, record_name
from unlearnbench.core.messages import brief
from unlearnbench.core.observations import Observations
from unlearnbench.core.scenarios import Role
from unlearnbench.core.seeding import SeedPath

Codes = NDArray[np.int64]


def population_of(columns: Columns, rows: Observations, asked: NDArray[np.bool_], names: Texts | None) -> Observations:
    """Return the rows (n,) of the population, those for which not ``asked``, by pair of models.

    ``rows`` are those of the whole file, ``names`` the ids of its records, if it has any. Each pair of models must
    answer about all records of the population, and no request may query one.
    """
    pair = np.unique(np.stack([rows.episode, rows.request]), axis=1, return_inverse=True)[1].reshape(-1)
    if not asked.all() and pair.any() and names is None:
        columns.fail("needs the column record: several pairs of models answer about the population")
    for row in np.flatnonzero(asked & np.isin(rows.record, rows.record[~asked]))[:1].tolist():
        name = brief(record_name(names, rows.record[row]))
        columns.fail(f"record {name} is in the population too; give it one of these roles only", row)
    _check_complete(columns, rows, ~asked, pair, names)
    return in_order(rows.take(~asked))


def _check_complete(
    columns: Columns, rows: Observations, chosen: NDArray[np.bool_], pair: Codes, names: Texts | None
) -> None:
    """Refuse a pair of models that does not answer about some record of the population."""
    ids, place = np.unique(rows.record[chosen], return_inverse=True)
    answered = np.zeros((pair.max() + 1, len(ids)), dtype=np.bool_)
    answered[pair[chosen], place] = True
    for own, missing in np.argwhere(~answered)[:1].tolist():
        name = brief(record_name(names, ids[missing]))
        columns.fail(
            f"its models do not answer about record {name} of the population; all must answer about all of it",
            int(np.flatnonzero(pair == own)[0]),
        )


def in_order(population: Observations) -> Observations:
    """Return the rows by original and request, the records in the same random order for each."""
    ids, place = np.unique(population.record, return_inverse=True)
    position = SeedPath(0, ("audit", "population")).permutation(len(ids))[place]
    laid_out = replace(population, position=position, role=np.full(len(position), Role.UNSEEN, dtype=np.int8))
    return laid_out.take(np.lexsort((position, population.request, population.episode)))
