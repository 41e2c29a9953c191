"""What reference models and the population answer, laid out for views: log-odds of the true class by record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.observations import Needs, Observations
from unlearnbench.core.posteriors import log_odds
from unlearnbench.core.references import PopulationAnswers, ReferenceAnswers

Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ReferenceTable:
    """The answers of N reference models about q records."""

    ids: Ids
    """The records (q,), ascending."""
    answers: ReferenceAnswers

    @classmethod
    def of(cls, models: Sequence[Observations]) -> ReferenceTable:
        """Lay out the rows of each model, which are of the same records, each once and ascending."""
        before = np.stack([log_odds(rows.before, rows.label) for rows in models], axis=1)
        after = np.stack([log_odds(rows.last, rows.label) for rows in models], axis=1)
        member = np.stack([rows.member[:, 0] for rows in models], axis=1)
        return cls(models[0].record, ReferenceAnswers(before, after, member))

    def about(self, records: Ids, models: int) -> ReferenceAnswers:
        """Return what the first models answer about these records (n,), all of which are in the table."""
        return self.answers.take(np.searchsorted(self.ids, records)).first(models)


@dataclass(frozen=True, eq=False)
class PopulationTable:
    """The answers of a target's models about the Z records of the population, for g pairs of original and request."""

    episode: Ids
    """The original of each pair (g,)."""
    request: Ids
    """The request of each pair (g,)."""
    ids: Ids
    """The records (Z,)."""
    before: NDArray[np.float64]
    """Log-odds (g, Z) by the original."""
    after: NDArray[np.float64]
    """Log-odds (g, Z) by the last unlearned version."""

    @classmethod
    def of(cls, rows: Observations) -> PopulationTable:
        """Lay out rows that hold the same records in the same order for each original and request."""
        size = int(rows.position.max()) + 1
        before, after = log_odds(rows.before, rows.label), log_odds(rows.last, rows.label)
        pairs = rows.episode[::size], rows.request[::size]
        return cls(*pairs, rows.record[:size], before.reshape(-1, size), after.reshape(-1, size))

    def seen(self, episode: Ids, request: Ids, needs: Needs, references: ReferenceTable | None) -> PopulationAnswers:
        """Return what an attack of these needs may read beside rows (n,) of these originals and requests."""
        pairs, group = np.unique(np.stack([episode, request]), axis=1, return_inverse=True)
        place = {pair: k for k, pair in enumerate(zip(self.episode.tolist(), self.request.tolist(), strict=True))}
        chosen = [place[pair] for pair in zip(*pairs.tolist(), strict=True)]
        n, nothing = needs.population, np.empty((len(chosen), 0))
        return PopulationAnswers(
            group,
            self.before[chosen, :n] if needs.sees_original else nothing,
            self.after[chosen, :n] if needs.sees_unlearned else nothing,
            references.about(self.ids[:n], needs.references) if references else None,
        )
