"""The results of single cells: as they are computed, and as the store keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.hashing import content_key
from unlearnbench.run.attacking import Scores
from unlearnbench.run.cells import CellGroup
from unlearnbench.run.divergence import divergence
from unlearnbench.run.game import Game
from unlearnbench.run.outcomes import Outcomes
from unlearnbench.run.released import released_utility
from unlearnbench.run.store import Store

MEASURED: Final = "measured_sha256"
"""The field of a stored cell that tells from which models, of the same keys, its seconds and memory are."""


@dataclass(frozen=True, eq=False)
class CellScores:
    """The arrays of one cell that its metrics are computed from. What other cells share is not among them."""

    scores: NDArray[np.float64]
    """The attack's scores of the target rows (n,)."""
    baseline: NDArray[np.float64]
    """Those of its classical baseline (n,)."""
    shadow: NDArray[np.float64]
    """The attack's scores of the balanced shadow rows (m,), cross-fitted."""
    folds: NDArray[np.float32]
    """The attack's scores of the target rows, fitted without each fold of shadow originals (k, n)."""
    baseline_folds: NDArray[np.float32]
    """Those of the baseline (k, n)."""
    unchanged: NDArray[np.bool_]
    """Were the released posteriors of the last unlearned version bitwise those of the original (n,)."""
    released: NDArray[np.float64]
    """Accuracy, log loss and calibration error of the released posteriors, as of
    :func:`~unlearnbench.run.released.released_utility` (3, requests)."""
    divergence: NDArray[np.float64]
    """How far the released posteriors are from those of the paired retrained model, as of
    :func:`~unlearnbench.run.divergence.divergence` (2, requests); (2, 0) where no metric compares with retraining."""

    @classmethod
    def of(cls, released: Game, scores: Scores, baseline: Scores, retrained: Game | None = None) -> CellScores:
        """Return the arrays of an attack and its baseline on a game as it was released.

        ``retrained`` is the same game with retrained models, where a metric compares with it.
        """
        rows = released.target
        unchanged = np.asarray((rows.before == rows.last).all(axis=1))
        return cls(
            scores.target,
            baseline.target,
            scores.shadow,
            scores.folds,
            baseline.folds,
            unchanged,
            released_utility(rows, released.measured),
            divergence(rows, retrained.target) if retrained else np.empty((2, 0)),
        )


@dataclass(frozen=True, eq=False)
class CellResult:
    """The result of one cell."""

    scores: CellScores
    estimates: Mapping[str, Estimate]
    outcomes: Outcomes

    def payload(self) -> dict[str, object]:
        """Return the estimates as the store keeps them; ``order`` is that of the names, which JSON objects lose."""
        return {
            "metrics": {name: asdict(estimate) for name, estimate in self.estimates.items()},
            "order": list(self.estimates),
            "outcomes": asdict(self.outcomes),
        }


def put_result(store: Store, key: str, result: CellResult, measured: str) -> None:
    """Keep the result of a cell; ``measured`` is the :func:`measured_sha256` of its group.

    TypeError or ValueError for estimates that JSON cannot hold.
    """
    store.put("cell", key, {**result.payload(), MEASURED: measured}, vars(result.scores))


def is_outdated(payload: Mapping[str, object], measured: str) -> bool:
    """Say whether a stored cell has the seconds of other models than the stored ones: they were made again, or merged.

    Cells of versions that did not keep it count as computed from those that are stored.
    """
    return payload.get(MEASURED, measured) != measured


def measured_sha256(store: Store, group: CellGroup) -> str:
    """Return a digest of the seconds and memory of a group's models: all that it reads of them but no key tells."""
    tasks = [*group.target, *(group.retrained.target if group.retrained else ())]
    payloads = [store.payload("episode", task.key) or {} for task in tasks]
    return content_key({name: [payload.get(name) for payload in payloads] for name in ("seconds", "memory")})


def get_result(store: Store, key: str) -> CellResult | None:
    """Return the stored result of a cell, None where there is none."""
    entry = store.get("cell", key)
    if entry is None:
        return None
    payload: Any = entry.payload
    arrays: Any = {field.name: np.asarray(entry.arrays[field.name]) for field in fields(CellScores)}
    estimates = {name: Estimate(**payload["metrics"][name]) for name in payload["order"]}
    return CellResult(CellScores(**arrays), estimates, Outcomes(**payload["outcomes"]))
