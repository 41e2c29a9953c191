"""SISA: sharded, isolated, sliced and aggregated training (Bourtoule et al. 2021, arXiv 1912.03817)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from unlearnbench.builtin.unlearners.exact.retrain import refuse_order, retain_set, version_seeds
from unlearnbench.core.models import TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.seeding import SeedPath, keyed_bits
from unlearnbench.core.training import TrainingJob
from unlearnbench.engine.unlearners import ExactUnlearner


@dataclass(frozen=True)
class SISA(ExactUnlearner):
    """Train one model per shard; a deletion retrains only the shard that holds the record.

    The answer is the mean of the shards' posteriors, each counting the same (``constant``) or by its number of
    training records (``size``). A record's shard and slice depend on its id and the original's training set, never on
    the requests. With ``slices`` above 1 a shard is trained on its first slice, then on the first two, and so on,
    each stage continuing from the one before; a deletion starts again before the slice that holds the record. That
    needs a model that can continue.

    Retraining keeps the shard's seeds, and deleted records are masked in place (``init: same, order: slot``); only
    noise is drawn again, for every set of records that a shard is trained on. A shard that loses its last record
    leaves the ensemble.

    ``shards``: models of the ensemble

    ``slices``: stages in which a shard is trained

    ``mean``: how the shards are averaged: each the same, or by its number of training records
    """

    shards: PositiveInt = 10
    slices: PositiveInt = 1
    mean: Literal["constant", "size"] = "constant"

    def refusal(self, model: TargetModel) -> str | None:
        """Refuse slices for models that cannot go on training, and models without a stable order."""
        if self.slices > 1 and not model.continues:
            return f"{type(model).__name__} cannot continue training, which slices: {self.slices} needs; use slices: 1"
        return refuse_order(model, "slot")

    def jobs(self, original: Original, steps: Sequence[Step], seeds: SeedPath) -> list[TrainingJob]:
        """Return one training run per shard that holds records."""
        dealt = Dealt.of(original.data, steps, (original.seeds / "shards").seed())
        runs = (self._shard_run(dealt, original.seeds, shard) for shard in range(self.shards))
        return [run for run in runs if run is not None]

    def weights(self, jobs: Sequence[TrainingJob]) -> list[float]:
        """Weigh shards the same, or by what they were trained on."""
        return [1.0 if self.mean == "constant" else float(len(job.data)) for job in jobs]

    def _shard_run(self, dealt: Dealt, seeds: SeedPath, shard: int) -> TrainingJob | None:
        """Return the last training stage of one shard, or None where the shard is empty."""
        run = None
        for last in range(self.slices):
            stage = self._stage(dealt, shard, last)
            if len(stage):
                place = seeds / f"shard-{shard}-slice-{last}"
                # Noise by content, not by request: a shard that a request leaves alone must stay the model it was.
                run = TrainingJob(stage, version_seeds(place, place / stage.fingerprint, "same", "slot"), run)
        return run

    def _stage(self, dealt: Dealt, shard: int, last_slice: int) -> TrainingSet:
        """Return what a shard has left of its slices up to ``last_slice``; steps elsewhere leave no trace in it."""

        def here(rank: NDArray[np.int64]) -> NDArray[np.bool_]:
            return np.asarray((rank % self.shards == shard) & (rank // self.shards % self.slices <= last_slice))

        own = [Step(step.forget[here(gone)], step.add[here(new)]) for step, gone, new in dealt.steps]
        touching = [step for step in own if len(step.forget) or len(step.add)]
        return retain_set(dealt.data.select(here(dealt.rank)), touching, "slot")


@dataclass(frozen=True, eq=False)
class Dealt:
    """The original's records and those of each step (forgotten, added) with their ranks, by which they are dealt out.

    A rank is the place in a keyed shuffle of the original's records; records added later fall between those.
    """

    data: TrainingSet
    rank: NDArray[np.int64]
    steps: Sequence[tuple[Step, NDArray[np.int64], NDArray[np.int64]]]

    @classmethod
    def of(cls, data: TrainingSet, steps: Sequence[Step], seed: int) -> Dealt:
        """Rank all records by ``seed``."""
        shuffled = np.sort(keyed_bits(seed, data.ids))

        def rank(ids: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.searchsorted(shuffled, keyed_bits(seed, ids))

        return cls(data, rank(data.ids), [(step, rank(step.forget), rank(step.add)) for step in steps])
