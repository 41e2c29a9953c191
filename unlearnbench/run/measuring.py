"""From the scores of a cell to its estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from unlearnbench.core.attacks import Attack
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ReleasedUtility, ScoredCell, Utility
from unlearnbench.run.cell_results import CellScores
from unlearnbench.run.episodes import Episode
from unlearnbench.run.game import Game
from unlearnbench.run.released import measured_originals


def scored_cell(game: Game, scores: CellScores, attack: Attack, baseline: Attack, utility: Utility) -> ScoredCell:
    """Return what the metrics of a cell are given. Of the game only roles and the like are read, never posteriors."""
    rows, shadow = game.target, game.deleted(game.balanced)
    return ScoredCell(
        scores=scores.scores,
        baseline=scores.baseline,
        role=rows.role,
        position=rows.position,
        episode=rows.episode,
        request=rows.request,
        record=rows.record,
        label=rows.label,
        unchanged=scores.unchanged,
        positive=game.positive,
        negative=game.negative,
        shadow_scores=scores.shadow,
        shadow_deleted=shadow if len(scores.shadow) else np.empty(0, dtype=np.bool_),
        probabilistic=attack.probabilistic,
        baseline_probabilistic=baseline.probabilistic,
        utility=utility,
        released=ReleasedUtility(measured_originals(rows), *scores.released),
    )


def measure(cell: ScoredCell, metrics: Mapping[str, Metric]) -> dict[str, Estimate]:
    """Return all estimates of one cell by name."""
    estimates: dict[str, Estimate] = {}
    for name, metric in metrics.items():
        measured = metric.measure(cell)
        if wrong := [own for own, estimate in measured.items() if not isinstance(estimate, Estimate)]:
            raise TypeError(f"metric {name} gives {', '.join(wrong)}, which must be an Estimate")
        if clash := estimates.keys() & measured.keys():
            raise ValueError(f"metric {name} gives {', '.join(sorted(clash))}, which another metric gives too")
        estimates.update(measured)
    return estimates


def utility(episodes: Sequence[Episode]) -> Utility:
    """Collect accuracies and seconds, one entry per (original, request)."""
    counts = [len(episode.accuracy["test_unlearned"]) for episode in episodes]

    def each(values: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.repeat(np.asarray(values, dtype=np.float64), counts)

    return Utility(
        episode=np.repeat([episode.observations.episode[0] for episode in episodes], counts),
        train_accuracy_original=each([float(episode.accuracy["train_original"][0]) for episode in episodes]),
        test_accuracy_original=each([float(episode.accuracy["test_original"][0]) for episode in episodes]),
        train_accuracy_unlearned=np.concatenate([episode.accuracy["train_unlearned"] for episode in episodes]),
        test_accuracy_unlearned=np.concatenate([episode.accuracy["test_unlearned"] for episode in episodes]),
        seconds_to_train=each([episode.seconds["train"] for episode in episodes]),
        seconds_to_unlearn=each([episode.seconds["unlearn"] for episode in episodes]),
        epsilon=each([episode.epsilon for episode in episodes]),
    )
