"""Computes the metrics of a group's cells again, from submitted scores and derived roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.attacks import Attack
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.messages import one_line
from unlearnbench.core.metrics import Metric, ScoredCell, Utility
from unlearnbench.core.scenarios import Scenario
from unlearnbench.run.attacking import cross_fits, folds_scored
from unlearnbench.run.cell_results import CellScores
from unlearnbench.run.cells import Cell, CellGroup
from unlearnbench.run.divergence import compared_originals
from unlearnbench.run.environment import fingerprint
from unlearnbench.run.evaluation import knows_truth, scores_of
from unlearnbench.run.game import Game, game_seeds
from unlearnbench.run.instances import PluginInstances, baseline_ref
from unlearnbench.run.measuring import measure, scored_cell
from unlearnbench.run.outcomes import Outcomes
from unlearnbench.run.released import measured_originals
from unlearnbench.submissions.arrays import PACK_AGAIN, array_name
from unlearnbench.submissions.derived import Derivation, QueriedRows
from unlearnbench.submissions.findings import Finding, RefusedError, refuse
from unlearnbench.submissions.group_arrays import GroupArrays
from unlearnbench.submissions.reading import Submission
from unlearnbench.submissions.repeated import contradictions
from unlearnbench.submissions.schema import CellPart, GroupPart
from unlearnbench.suite.model import PluginRef

RUN_AGAIN = "run the suite again and pack that run"
Pair = tuple[GroupPart, CellGroup]
"""A group as submitted, and the same group as planned here."""


@dataclass(frozen=True, eq=False)
class Remeasured:
    """The metrics of a group's cells, as far as they could be computed, and what is wrong with the group."""

    estimates: Mapping[int, Mapping[str, Estimate]] = field(default_factory=dict)
    """By the cell's index in the group."""
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    outcomes: Outcomes | None = None
    """What became of the group's models, where the submission says it."""


@dataclass(frozen=True, eq=False)
class DerivedGame:
    """The game of a group, derived, and what the submission says of its models."""

    game: Game
    queried: QueriedRows
    """The target rows with the matched negatives of a model without regions."""
    arrays: GroupArrays
    utility: Utility
    metrics: Mapping[str, Metric]

    @property
    def reads_retrained(self) -> bool:
        """Whether a metric reads the cell that retrains."""
        return any(metric.reads_retrained for metric in self.metrics.values())


class Remeasurer:
    """Measures the groups of one submission. Rows that they share are derived once."""

    def __init__(self, submission: Submission, instances: PluginInstances, groups: Sequence[Pair]) -> None:
        self._submission = submission
        self._instances = instances
        self._groups = {group.target[0].key: (part, group) for part, group in groups}
        self._derivation = Derivation(instances)
        self._same_environment = submission.document.environment == fingerprint()

    def __call__(self, part: GroupPart, group: CellGroup) -> Remeasured:
        """Compute all metrics of a group. Arrays of a wrong type, shape or value are findings."""
        where = f"{part.dataset}, {part.model}, {part.unlearner}, {part.scenario}, seed {part.seed}"
        try:
            derived = self.derive(part, group)
        except RefusedError as error:
            return Remeasured(findings=error.findings)
        impossible = [*self._other_forget_sets(part, group), *self._group_problems(group, derived)]
        if impossible:  # whatever is computed from it would be wrong
            return Remeasured(findings=tuple(Finding(where, what, RUN_AGAIN) for what in impossible))
        cells = list(group.cells.values())
        scores, refused = self._read(part, cells, derived)
        estimates, problems = self._measured(group, scores, derived)
        problems += contradictions(cells, scores, self._instances)
        found = [
            Finding(f"{where}, {part.cells[n].defense}, {part.cells[n].attack}", what, RUN_AGAIN)
            for n, what in problems
        ]
        outcomes = None if derived.arrays.outcomes is None else Outcomes.of(derived.utility)
        return Remeasured(estimates, (*refused, *found), tuple(self._notes(group, derived)), outcomes)

    def _read(
        self, part: GroupPart, cells: Sequence[Cell], derived: DerivedGame
    ) -> tuple[dict[int, CellScores], list[Finding]]:
        """Return the arrays of each cell by its number, and what is wrong with those that cannot be read."""
        read: dict[int, CellScores] = {}
        findings: list[Finding] = []
        for number, cell in enumerate(cells):
            try:
                read[number] = self.cell(part.cells[number], cell, derived)
            except RefusedError as error:
                findings += error.findings
        return read, findings

    def _measured(
        self, group: CellGroup, read: Mapping[int, CellScores], derived: DerivedGame
    ) -> tuple[dict[int, Mapping[str, Estimate]], list[tuple[int, str]]]:
        """Return the metrics of each cell that was read, by its number, and what is wrong with cells."""
        cells = list(group.cells.values())
        estimates: dict[int, Mapping[str, Estimate]] = {}
        problems: list[tuple[int, str]] = []
        for number, scores in read.items():
            try:
                estimates[number] = measure(self._scored(group, cells[number], scores, derived), derived.metrics)
                found = [*_release_problems(scores), *self._control_problems(derived, cells[number], scores)]
            except Exception as error:  # noqa: BLE001 - a metric of anyone may ask for what a submission does not hold
                found = [f"its metrics cannot be computed from scores ({one_line(str(error))[:200]})"]
            problems += ((number, what) for what in found)
        return estimates, problems

    def derive(self, part: GroupPart, group: CellGroup) -> DerivedGame:
        """Derive the queried rows, and read what the cells share; raises :class:`RefusedError` for a wrong array."""
        first = group.target[0]
        records, scenario = self._instances.records(first.dataset), self._instances.make(first.scenario, Scenario)
        queried, shadow = self._derivation.side(group.target), self._derivation.side(group.shadow)
        shared = self._group_arrays(part, queried.requests, first.sizes.matched)
        if (shared.matched < -1).any() or (shared.matched >= len(records.y)).any():
            where = array_name(part.matched)
            raise refuse(where, f"a matched negative is none of the {len(records.y)} records", PACK_AGAIN)
        game = Game.of(
            records,
            [queried.with_matched(shared.matched, records.y).rows],
            [shadow.rows],
            positive=scenario.positive,
            negative=scenario.negative,
            seeds=game_seeds(first.seed, records),
            shadow_records=self._instances.records(group.shadow[0].dataset),
        )
        metrics = {ref.label: self._instances.make(ref, Metric) for ref in group.metrics}
        return DerivedGame(game, queried, shared, shared.utility(queried.episode), metrics)

    def _group_arrays(self, part: GroupPart, requests: int, most: int) -> GroupArrays:
        read = self._submission.arrays.read

        def optional(number: int | None, dtype: type[np.generic], *shape: int) -> NDArray[Any] | None:
            return None if number is None else read(number, dtype, shape)

        return GroupArrays(
            read(part.matched, np.int64, (requests, most)),
            read(part.accuracies, np.float64, (4, requests)),
            read(part.seconds, np.float64, (2, requests)),
            optional(part.epsilon, np.float64, requests),
            optional(part.forgotten, np.float64, 2, requests),
            optional(part.passes, np.float64, requests),
            optional(part.outcomes, np.bool_, 2, requests),
            optional(part.relearned, np.float64, requests),
            optional(part.memory, np.float64, requests),
        )

    def cell(self, submitted: CellPart, cell: Cell, derived: DerivedGame) -> CellScores:
        """Read the arrays of one cell."""
        read, rows = self._submission.arrays.read, derived.game.target
        n, measured = len(rows), measured_originals(rows, derived.game.measured)
        shadow, baseline = derived.game.balanced, baseline_ref(cell.attack, self._instances)
        attack = self._instances.make(cell.attack, Attack)
        cross_fitted = cross_fits(derived.game, attack) or knows_truth(cell.attack, self._instances.registry)
        return CellScores(
            read(submitted.scores, np.float64, (n,)),
            read(submitted.baseline, np.float64, (n,)),
            read(submitted.shadow, np.float64, (len(shadow) if cross_fitted else 0,)),
            read(submitted.folds, np.float32, (self._folds(cell.attack, derived), n)),
            read(submitted.baseline_folds, np.float32, (self._folds(baseline, derived), n)),
            read(submitted.unchanged, np.bool_, (n,)),
            read(submitted.released, np.float64, (3, len(measured))),
            self._divergence(submitted, derived),
        )

    def _divergence(self, submitted: CellPart, derived: DerivedGame) -> NDArray[np.float64]:
        if submitted.divergence is None:
            return np.empty((2, 0))
        compared = derived.reads_retrained * len(compared_originals(derived.game.target))
        return self._submission.arrays.read(submitted.divergence, np.float64, (2, compared))

    def _folds(self, attack: PluginRef, derived: DerivedGame) -> int:
        if knows_truth(attack, self._instances.registry):
            return 0
        return folds_scored(derived.game, self._instances.make(attack, Attack))

    def _scored(self, group: CellGroup, cell: Cell, scores: CellScores, derived: DerivedGame) -> ScoredCell:
        make, baseline = self._instances.make, baseline_ref(cell.attack, self._instances)
        attack, classical = make(cell.attack, Attack), make(baseline, Attack)
        scored = scored_cell(derived.game, scores, attack, classical, derived.utility)
        if not derived.reads_retrained:
            return scored
        return replace(scored, retrained=self._retrained(group.retrained, cell) if group.retrained else scored)

    def _retrained(self, group: CellGroup, cell: Cell) -> ScoredCell:
        """Return the submitted cell of retraining; LookupError where the submission has none."""
        part, planned = self._groups[group.target[0].key]
        labels = cell.defense.label, cell.attack.label
        number = [(other.defense.label, other.attack.label) for other in planned.cells.values()].index(labels)
        derived, other = self.derive(part, planned), list(planned.cells.values())[number]
        return self._scored(planned, other, self.cell(part.cells[number], other, derived), derived)

    def _other_forget_sets(self, part: GroupPart, group: CellGroup) -> Iterator[str]:
        if part.forget_sets is not None and part.forget_sets != (here := self._derivation.forget_sets(group)):
            yield f"its forget sets, sha256 {part.forget_sets[:12]}, are not those of the suite, {here[:12]}"

    def _group_problems(self, group: CellGroup, derived: DerivedGame) -> Iterator[str]:
        """Say what of a group is impossible, whatever was trained."""
        shared = derived.arrays
        yield from self._derivation.matched_problems(group, derived.queried, shared.matched)
        if any(_outside_shares(accuracies) for accuracies in (shared.accuracies, shared.forgotten)):
            yield "an accuracy is outside [0, 1]"
        if shared.passes is not None and (shared.passes < 0).any():
            yield "a number of record passes is negative"
        if shared.relearned is not None and (shared.relearned < 0).any():
            yield "a number of epochs to learn records again is negative"
        if (shared.seconds < 0).any():
            yield "a time is negative"
        if shared.memory is not None and (shared.memory < 0).any():
            yield "a peak of memory is negative"
        if shared.epsilon is not None and (shared.epsilon <= 0).any():
            yield "an epsilon is not positive"

    def _control_problems(self, derived: DerivedGame, cell: Cell, scores: CellScores) -> Iterator[str]:
        """Score controls that see no model again: they show whether the rows are those of the suite."""
        if self._instances.make(cell.attack, Attack).needs.versions != "none":
            return
        if not (self._same_environment or knows_truth(cell.attack, self._instances.registry)):
            return
        computed = scores_of(derived.game, cell.attack, self._instances)
        if not (np.array_equal(computed.target, scores.scores) and np.array_equal(computed.shadow, scores.shadow)):
            yield "sees no model, and its scores are not those of the suite's records and roles"

    def _notes(self, group: CellGroup, derived: DerivedGame) -> Iterator[str]:
        if not self._same_environment:
            yield "made in another environment: controls that see no model, but oracle-label, were not scored again"
        matched = derived.arrays.matched
        if (derived.queried.matched(matched.shape[1]) != matched).any():
            model = group.target[0].model.label
            yield (
                f"{model}: matched negatives are not the nearest records; regions, which need training, can "
                "choose others: taken as submitted, and compared by --rerun"
            )


def _outside_shares(values: NDArray[np.float64] | None) -> bool:
    return values is not None and bool(((values < 0) | (values > 1)).any())


def _release_problems(scores: CellScores) -> Iterator[str]:
    """Say what of the utility of released posteriors is impossible."""
    accuracy, log_loss, calibration_error = scores.released
    if any((values < 0).any() or (values > 1).any() for values in (accuracy, calibration_error)):
        yield "an accuracy or a calibration error of what is released is outside [0, 1]"
    if ((scores.divergence < 0) | (scores.divergence > 1)).any():
        yield "a divergence from the retrained model is outside [0, 1]"
    if (log_loss < 0).any():
        yield "a log loss of what is released is negative"
