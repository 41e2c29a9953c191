"""Computes the metrics of a bench again, from submitted scores and derived roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from unlearnbench.core.attacks import Attack
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, Utility
from unlearnbench.core.scenarios import Scenario
from unlearnbench.run.cells import Cell, CellGroup
from unlearnbench.run.environment import fingerprint
from unlearnbench.run.evaluation import ORACLE
from unlearnbench.run.game import Game, Scores, attack_scores, game_seeds, measure, oracle_scores
from unlearnbench.run.instances import PluginInstances, baseline_ref
from unlearnbench.submissions.derived import Derivation, QueriedRows
from unlearnbench.submissions.findings import Finding, RefusedError
from unlearnbench.submissions.reading import Submission
from unlearnbench.submissions.record import CellRecord, GroupRecord
from unlearnbench.submissions.schema import CellPart, GroupPart
from unlearnbench.suite.messages import one_line

RUN_AGAIN = "run the suite again and pack that run"


@dataclass(frozen=True, eq=False)
class Remeasured:
    """The metrics of a bench's cells by their number, as far as they could be computed, and what was found."""

    estimates: Mapping[int, Mapping[str, Estimate]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Board:
    """What a bench is played on: the derived game, and what the submission says of its models."""

    game: Game
    asked: QueriedRows
    record: GroupRecord
    utility: Utility
    metrics: Mapping[str, Metric]


class Remeasurer:
    """Measures the benches of one submission; what they share is derived once."""

    def __init__(self, submission: Submission, instances: PluginInstances) -> None:
        self._submission = submission
        self._workshop = instances
        self._derivation = Derivation(instances)
        self._same_place = submission.document.environment == fingerprint()

    def __call__(self, part: GroupPart, bench: CellGroup) -> Remeasured:
        """Compute all metrics of a bench; arrays that are not what they must be are findings."""
        where = f"{part.dataset}, {part.model}, {part.unlearner}, {part.scenario}, seed {part.seed}"
        try:
            board = self.board(part, bench)
        except RefusedError as error:
            return Remeasured(findings=error.findings)
        findings = [Finding(where, what, RUN_AGAIN) for what in self._faults(bench, board)]
        if findings:  # whatever is computed from these would be wrong
            return Remeasured(findings=tuple(findings))
        estimates: dict[int, Mapping[str, Estimate]] = {}
        for number, (told, cell) in enumerate(zip(part.cells, bench.cells.values(), strict=True)):
            try:
                found = self.cell(told, cell, board)
                estimates[number] = self._measured(board, cell, found)
                faults = list(self._control_faults(board, cell, found))
            except RefusedError as error:
                findings += error.findings
                continue
            except Exception as error:  # noqa: BLE001 - a metric of anyone may ask for what a submission does not hold
                faults = [f"its metrics cannot be computed from scores ({one_line(str(error))[:200]})"]
            findings += [Finding(f"{where}, {told.defense}, {told.attack}", what, RUN_AGAIN) for what in faults]
        return Remeasured(estimates, tuple(findings), tuple(self._notes(bench, board)))

    def board(self, part: GroupPart, bench: CellGroup) -> Board:
        """Derive who was asked, and read what the cells share; raises :class:`RefusedError` for a wrong array."""
        first = bench.target[0]
        records, scenario = self._workshop.records(first.dataset), self._workshop.make(first.scenario, Scenario)
        nearest, shadow = self._derivation.side(bench.target), self._derivation.side(bench.shadow)
        record = self._bench_record(part, nearest.requests, first.sizes.matched)
        asked = nearest.with_matched(record.matched, records.y)
        game = Game.of(
            records,
            [asked.rows],
            [shadow.rows],
            positive=scenario.positive,
            negative=scenario.negative,
            seeds=game_seeds(first.seed, records),
            shadow_records=self._workshop.records(bench.shadow[0].dataset),
        )
        metrics = {ref.label: self._workshop.make(ref, Metric) for ref in bench.metrics}
        return Board(game, nearest, record, record.utility(nearest.episode), metrics)

    def _bench_record(self, part: GroupPart, requests: int, most: int) -> GroupRecord:
        read = self._submission.arrays.read
        return GroupRecord(
            read(part.matched, np.int64, (requests, most)),
            read(part.accuracies, np.float64, (4, requests)),
            read(part.seconds, np.float64, (2, requests)),
            None if part.epsilon is None else read(part.epsilon, np.float64, (requests,)),
        )

    def cell(self, told: CellPart, cell: Cell, board: Board) -> CellRecord:
        """Read the arrays of one cell."""
        read, n = self._submission.arrays.read, len(board.game.target)
        learned_from = board.game.balanced
        fitted = len(np.unique(learned_from.episode)) > 1 or cell.attack.name == ORACLE
        return CellRecord(
            read(told.scores, np.float64, (n,)),
            read(told.baseline, np.float64, (n,)),
            read(told.shadow, np.float64, (len(learned_from) if fitted else 0,)),
            read(told.unchanged, np.bool_, (n,)),
            {},
        )

    def _measured(self, board: Board, cell: Cell, found: CellRecord) -> Mapping[str, Estimate]:
        make, baseline = self._workshop.make, baseline_ref(cell.attack, self._workshop)
        rows = board.game.target
        game = replace(board.game, target=replace(rows, after=np.where(found.unchanged, 0.0, 1.0)[:, None, None]))
        scores = Scores(found.scores, found.shadow, make(cell.attack, Attack).probabilistic)
        classical = Scores(found.baseline, np.empty(0), make(baseline, Attack).probabilistic)
        return measure(game, scores, classical, board.utility, board.metrics)

    def _faults(self, bench: CellGroup, board: Board) -> Iterator[str]:
        """Say what of a bench cannot be, whatever was trained."""
        record = board.record
        yield from self._derivation.matched_faults(bench, board.asked, record.matched)
        if (record.accuracies < 0).any() or (record.accuracies > 1).any():
            yield "an accuracy is no share in [0, 1]"
        if (record.seconds < 0).any():
            yield "it took less than no time"
        if record.epsilon is not None and (record.epsilon <= 0).any():
            yield "an epsilon is not positive"

    def _control_faults(self, board: Board, cell: Cell, found: CellRecord) -> Iterator[str]:
        """Score controls that see no model once more: they tell whether the rows are those of the suite."""
        attack = self._workshop.make(cell.attack, Attack)
        if attack.needs.versions != "none":
            return
        if cell.attack.name == ORACLE:
            again = oracle_scores(board.game)
        elif self._same_place:
            again = attack_scores(board.game, attack, cell.attack.name)
        else:
            return
        if not (np.array_equal(again.target, found.scores) and np.array_equal(again.shadow, found.shadow)):
            yield "sees no model, and its scores are not those of the suite's records and roles"

    def _notes(self, bench: CellGroup, board: Board) -> Iterator[str]:
        if not self._same_place:
            yield "made in another environment: controls that see no model, but oracle-label, were not scored again"
        if (board.asked.matched(board.record.matched.shape[1]) != board.record.matched).any():
            model = bench.target[0].model.label
            yield (
                f"{model}: matched negatives are not the nearest records; regions, which only training tells, can "
                "choose others: taken as submitted, and compared by --rerun"
            )
