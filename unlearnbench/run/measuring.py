"""From the scores of a cell to its estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.attacks import Attack
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.messages import brief
from unlearnbench.core.metrics import Metric, ReleasedUtility, ScoredCell, Utility
from unlearnbench.run.attacking import folds_of
from unlearnbench.run.cell_results import CellScores
from unlearnbench.run.episodes import Episode
from unlearnbench.run.game import Game
from unlearnbench.run.released import measured_originals
from unlearnbench.stats.adversary import with_adversary


def scored_cell(game: Game, scores: CellScores, attack: Attack, baseline: Attack, utility: Utility) -> ScoredCell:
    """Return what the metrics of a cell are given. Of the game only roles and the like are read, never posteriors.

    ValueError where scores that are declared to be probabilities are none.
    """
    _check_probabilities(attack, scores.scores)
    _check_probabilities(baseline, scores.baseline)
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
        shadow_fold=folds_of(game) if len(scores.shadow) else np.empty(0, dtype=np.int64),
        folds=scores.folds,
        baseline_folds=scores.baseline_folds,
        probabilistic=attack.probabilistic,
        baseline_probabilistic=baseline.probabilistic,
        utility=utility,
        released=ReleasedUtility(measured_originals(rows, game.measured), *scores.released),
        divergence=scores.divergence,
    )


def _check_probabilities(attack: Attack, scores: NDArray[np.float64]) -> None:
    if attack.probabilistic and not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError(
            f"a probabilistic attack must give scores from 0 to 1, got {scores.min():.6g} to {scores.max():.6g}"
        )


def measure(cell: ScoredCell, metrics: Mapping[str, Metric]) -> dict[str, Estimate]:
    """Return all estimates of one cell by name.

    Each metric is measured for the adversary without each fold of its shadow originals too, and its interval includes
    the variance that they show.
    """
    estimates: dict[str, Estimate] = {}
    whole = [(part,) for part in cell.without_each_fold()]
    halves = [part.halves() for (part,) in whole]
    for name, metric in metrics.items():
        measured = metric.measure(cell)
        if not isinstance(measured, Mapping) or not all(isinstance(own, str) for own in measured):
            raise TypeError(f"metric {name} must return estimates by name, got {brief(measured)}")
        if wrong := [own for own, estimate in measured.items() if not isinstance(estimate, Estimate)]:
            raise TypeError(f"metric {name} gives {', '.join(wrong)}, which must be an Estimate")
        if clash := estimates.keys() & measured.keys():
            raise ValueError(f"metric {name} gives {', '.join(sorted(clash))}, which another metric gives too")
        estimates.update(_with_adversary(metric, measured, halves, whole))
    return estimates


def _with_adversary(
    metric: Metric, measured: Mapping[str, Estimate], *without: Sequence[Sequence[ScoredCell]]
) -> dict[str, Estimate]:
    """Add the adversary's variance, from the first cells ``without`` each fold on which a number is defined."""
    found = dict(measured)
    wanted = [name for name, estimate in measured.items() if estimate.status == "ok" and metric.reads_scores]
    for cells in without:
        again = []
        for parts in cells if wanted else ():
            again.append([metric.measure(one) for one in parts])
            if not any(_defined(name, again) for name in wanted):
                break
        found |= {name: with_adversary(measured[name], _of(name, again)) for name in wanted}
        wanted = [name for name in wanted if again and not _defined(name, again)]
    return found


def _of(name: str, again: Sequence[Sequence[Mapping[str, Estimate]]]) -> list[list[Estimate | None]]:
    return [[one.get(name) for one in parts] for parts in again]


def _defined(name: str, again: Sequence[Sequence[Mapping[str, Estimate]]]) -> bool:
    return all(one is not None and one.value is not None for parts in _of(name, again) for one in parts)


def utility(episodes: Sequence[Episode]) -> Utility:
    """Collect what models are worth and cost, one entry per (original, request)."""
    counts = [len(episode.accuracy["test_unlearned"]) for episode in episodes]

    def each(values: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.repeat(np.asarray(values, dtype=np.float64), counts)

    accuracy = [episode.accuracy for episode in episodes]
    return Utility(
        episode=np.repeat([episode.observations.episode[0] for episode in episodes], counts),
        train_accuracy_original=each([float(one["train_original"][0]) for one in accuracy]),
        test_accuracy_original=each([float(one["test_original"][0]) for one in accuracy]),
        train_accuracy_unlearned=np.concatenate([one["train_unlearned"] for one in accuracy]),
        test_accuracy_unlearned=np.concatenate([one["test_unlearned"] for one in accuracy]),
        forget_accuracy_original=np.concatenate([one["forget_original"] for one in accuracy]),
        forget_accuracy_unlearned=np.concatenate([one["forget_unlearned"] for one in accuracy]),
        passes=np.concatenate([episode.passes for episode in episodes]),
        collapsed=np.concatenate([episode.collapsed for episode in episodes]),
        unmoved=np.concatenate([episode.unmoved for episode in episodes]),
        seconds_to_train=each([episode.seconds["train"] for episode in episodes]),
        seconds_to_unlearn=each([episode.seconds["unlearn"] for episode in episodes]),
        epsilon=each([episode.epsilon for episode in episodes]),
        memory_to_unlearn=each([episode.memory for episode in episodes]),
        relearned=np.concatenate(
            [
                np.full(count, np.nan) if episode.relearned is None else episode.relearned
                for episode, count in zip(episodes, counts, strict=True)
            ]
        ),
    )
