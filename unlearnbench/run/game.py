"""The game of one group of cells: the rows of both sides, and what an attack is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.arrays import InexactError, exact
from unlearnbench.core.boundary import BoundaryDistances
from unlearnbench.core.errors import UserError
from unlearnbench.core.observations import Needs, Observations, ShadowView, View
from unlearnbench.core.pools import Side
from unlearnbench.core.records import Records
from unlearnbench.core.references import ReferenceAnswers
from unlearnbench.core.scenarios import Role
from unlearnbench.core.seeding import SeedPath, keyed_bits
from unlearnbench.run.boundary_rows import BoundaryRows
from unlearnbench.run.companies import Company, companies
from unlearnbench.run.copy_table import CopyTable
from unlearnbench.run.reference_table import PopulationTable, ReferenceTable

Indices = NDArray[np.int64]


def game_seeds(seed: int, records: Records) -> SeedPath:
    """Return where the draws of a run's evaluation start. The word is part of every result: it never changes."""
    return SeedPath(seed) / records.name / "judge"


@dataclass(frozen=True, eq=False)
class Game:
    """The rows of target and shadow side, and the two roles that an attack has to tell apart.

    Attacks never get the game. All that they are shown comes from :meth:`view` and :meth:`shadow_view`.
    """

    records: Records
    """The data set of the target rows."""
    shadow_records: Records
    """The data set of the shadow rows; the adversary may have another."""
    target: Observations
    shadow: Observations
    positive: Role
    negative: Role
    seeds: SeedPath
    references: tuple[Observations, ...] = ()
    """What each reference model of the adversary's answers about all records that are queried from the target."""
    population: Observations | None = None
    """What the target's models answer about the population, if they are asked."""
    copies: Mapping[Side, Observations] = field(default_factory=dict)
    """What the models of a side answer about noisy copies of the queried records, if they are asked."""
    boundary: Mapping[Side, BoundaryRows] = field(default_factory=dict)
    """How far the records of a side's rows are from the decision boundary of its models, if that was searched."""

    @classmethod
    def of(
        cls,
        records: Records,
        target: Sequence[Observations],
        shadow: Sequence[Observations],
        *,
        positive: Role,
        negative: Role,
        seeds: SeedPath,
        shadow_records: Records | None = None,
        population: Sequence[Observations] = (),
        copies: Mapping[Side, Sequence[Observations]] | None = None,
        boundary: Mapping[Side, Sequence[BoundaryRows]] | None = None,
    ) -> Game:
        """Set up a game from the observations of each side, one entry per original.

        ``shadow_records`` are given where the shadow rows are of another data set, ``population``, ``copies`` and
        ``boundary`` where models are asked about them.
        """
        return cls(
            records,
            records if shadow_records is None else shadow_records,
            Observations.concatenate(target),
            Observations.concatenate(shadow),
            positive,
            negative,
            seeds,
            population=Observations.concatenate(population) if population else None,
            copies={side: Observations.concatenate(rows) for side, rows in (copies or {}).items() if rows},
            boundary={side: BoundaryRows.concatenate(rows) for side, rows in (boundary or {}).items() if rows},
        )

    def deleted(self, observations: Observations) -> NDArray[np.bool_]:
        """Return which rows (n,) are positives of the game."""
        return np.asarray(observations.role == self.positive)

    @cached_property
    def measured(self) -> NDArray[np.bool_]:
        """Which target rows (n,) tell what released posteriors are worth: unseen records that are no canaries."""
        unseen = self.target.role == Role.UNSEEN
        canary = self.records.canary
        return np.asarray(unseen if canary is None else unseen & ~canary[self.target.record])

    @cached_property
    def balanced(self) -> Observations:
        """The shadow rows to learn from: every positive, and as many first negatives of its request."""
        return self.shadow.take(self._is_balanced)

    @cached_property
    def _is_balanced(self) -> NDArray[np.bool_]:
        return self.shadow.paired(self.positive, self.negative)

    @cached_property
    def lesson(self) -> Observations:
        """All shadow rows that an attack may learn from: the balanced ones, then as many first retained ones."""
        return self.shadow.take(self._taught)

    @cached_property
    def _taught(self) -> Indices:
        """Which shadow rows those of :attr:`lesson` are."""
        kept = self.shadow.paired(self.positive, Role.RETAINED) & (self.shadow.role == Role.RETAINED)
        return np.concatenate([np.flatnonzero(self._is_balanced), np.flatnonzero(kept & ~self._is_balanced)])

    def learned(self, needs: Needs) -> Indices:
        """Return the rows of :attr:`lesson` that an attack of these needs learns from.

        UserError where it needs retained records and there are none.
        """
        if needs.retained and not (self.lesson.role == Role.RETAINED).any():
            raise UserError("the attack needs retained records of shadow models, and there are none here")
        return np.arange(len(self.lesson if needs.retained else self.balanced))

    @cached_property
    def companies(self) -> tuple[Company, ...]:
        """The target rows by view: of each request the positives and negatives, of each original the rest by role.

        Where nothing leaks, the rows of one view are exchangeable. Matched rows resemble the positives: beside them a
        positive would be known by its neighbours. Requests are apart since unseen records recur and deleted ones do
        not.
        """
        game = np.isin(self.target.role, (self.positive, self.negative))
        return (
            *companies(self.target, np.flatnonzero(game), self.target.request),
            *companies(self.target, np.flatnonzero(~game), -1 - self.target.role.astype(np.int64)),
        )

    @cached_property
    def _keys(self) -> dict[Side, NDArray[np.uint64]]:
        """The random word of each target row, and of each shadow row to learn from."""

        def keys(side: Side, rows: Observations) -> NDArray[np.uint64]:
            return keyed_bits((self.seeds / "row" / side).seed(), rows.episode, rows.request, rows.record)

        return {"target": keys("target", self.target), "shadow": keys("shadow", self.lesson)}

    def view(self, side: Side, needs: Needs, rows: Indices, seeds: SeedPath) -> tuple[View, Indices]:
        """Return what an attack of these needs is shown of chosen ``rows`` (k,), and their order in the view.

        ``rows`` index the target rows, or those of :attr:`lesson`. Row i of the view is ``rows[order[i]]``. The order
        is random, so that it tells nothing. What ``needs`` do not declare is not in the view at all. UserError where
        they ask for more reference models, or for a larger population, than there are.
        """
        self._check_enough(needs)
        observed, records = (self.target, self.records) if side == "target" else (self.lesson, self.shadow_records)
        order = seeds.permutation(len(rows))
        chosen, n = rows[order], len(rows)
        before, after = needs.sees_original, needs.sees_unlearned
        references = self._reference_table if needs.references and side == "target" else None
        population = self._population_table if needs.population and side == "target" else None
        place = observed.episode[chosen], observed.request[chosen]
        view = View(
            needs,
            records.n_classes,
            *place,
            self._keys[side][chosen],
            observed.before[chosen] if before else np.empty((n, 0)),
            observed.after[chosen] if after else np.empty((n, 0, 0)),
            observed.versions[chosen] if after else np.empty(0, dtype=np.int64),
            observed.label[chosen] if needs.label else np.empty(0, dtype=np.int64),
            records.x[observed.record[chosen]] if needs.features else np.empty((n, 0)),
            references.about(observed.record[chosen], needs.references) if references else None,
            population.seen(*place, needs, references) if population else None,
            self._copy_tables[side].about(*place, observed.record[chosen], needs) if needs.copies else None,
            self._boundary_about(side, chosen, needs) if needs.boundary else None,
        )
        return view, order

    def _check_enough(self, needs: Needs) -> None:
        if needs.references > len(self.references):
            raise UserError(_too_few(needs.references, len(self.references), "reference models"))
        size = len(self._population_table.ids) if needs.population and self._population_table else 0
        if needs.population > size:
            raise UserError(_too_few(needs.population, size, "records of the population"))
        found = min((table.count for table in self._copy_tables.values()), default=0)
        if needs.copies > found:
            raise UserError(_too_few(needs.copies, found, "noisy copies of a record"))
        if needs.boundary and not self.boundary:
            lost = "there are none here, or the defense changed labels"
            raise UserError(f"the attack needs distances to the decision boundary: {lost}")

    def reference_answers(self, models: int) -> ReferenceAnswers:
        """Return what the first reference models answer about the records (n,) of the target rows."""
        return self._reference_table.about(self.target.record, models)

    @cached_property
    def _reference_table(self) -> ReferenceTable:
        return ReferenceTable.of(self.references)

    @cached_property
    def _population_table(self) -> PopulationTable | None:
        return PopulationTable.of(self.population) if self.population else None

    @cached_property
    def _copy_tables(self) -> Mapping[Side, CopyTable]:
        records: dict[Side, Records] = {"target": self.records, "shadow": self.shadow_records}
        return {side: CopyTable.of(rows, len(records[side])) for side, rows in self.copies.items()}

    def _boundary_about(self, side: Side, rows: Indices, needs: Needs) -> BoundaryDistances:
        return self.boundary[side].about(rows if side == "target" else self._taught[rows], needs)

    def shadow_view(self, needs: Needs, rows: Indices, seeds: SeedPath) -> ShadowView:
        """Return what an attack of these needs learns from: chosen rows of :attr:`lesson`, and which were deleted."""
        view, order = self.view("shadow", needs, rows, seeds)
        chosen = rows[order]
        deleted = self.deleted(self.lesson)[chosen]
        return ShadowView(**vars(view), deleted=deleted, member=self.lesson.member[chosen])


def _too_few(needed: int, found: int, what: str) -> str:
    return f"the attack needs {needed} {what}, and there are {found or 'none'} here"


def as_scores(answered: object, n: int) -> NDArray[np.float64]:
    """Return what an attack answered about ``n`` rows; ValueError where it is not one finite number a row."""
    must = f"an attack must give one finite score for each of {n} rows"
    try:
        scores = exact(answered, np.float64)
    except InexactError as error:
        raise ValueError(f"{must}; {error}") from error
    if scores.shape != (n,) or not np.isfinite(scores).all():
        bad = np.count_nonzero(~np.isfinite(scores))
        raise ValueError(f"{must}, got shape {scores.shape}, {bad} of them not finite")
    return scores
