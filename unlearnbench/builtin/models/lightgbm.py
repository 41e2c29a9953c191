"""Gradient-boosted trees by LightGBM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field, PositiveFloat, PositiveInt

from unlearnbench.core.models import SeedUse
from unlearnbench.engine.sklearn_model import SklearnModel


@dataclass(frozen=True)
class LightGBM(SklearnModel):
    """Gradient-boosted trees with LightGBM's defaults: no bagging, no feature sampling.

    Nothing is drawn, so ``init`` and ``order`` do not matter: same, fresh, slot and compact are one model. Bins are
    made afresh from the records of each model, and from all of them (LightGBM samples 200,000 rows otherwise): bins
    shared with the original would have seen the deleted record, so a deletion may also move bin edges, by design.
    One thread, row-wise histograms: bitwise repeatable.

    A subset with one class gives a constant, as do fewer than ``2 * min_child_samples`` records, which leave no split
    to make: the class shares. Fails on an empty training set only.

    Source: Ke et al., NeurIPS 2017; the library's defaults.

    ``n_estimators``: boosting rounds

    ``learning_rate``: factor on each tree

    ``num_leaves``: leaves of a tree at most

    ``min_child_samples``: records a leaf must hold
    """

    n_estimators: PositiveInt = 100
    learning_rate: PositiveFloat = 0.1
    num_leaves: Annotated[int, Field(ge=2)] = 31
    min_child_samples: PositiveInt = 20

    seeds_used: ClassVar[frozenset[SeedUse]] = frozenset()

    def estimator(self, seed: int) -> Any:
        """Return the unfitted LightGBM classifier."""
        from lightgbm import LGBMClassifier

        return LGBMClassifier(
            n_estimators=self.n_estimators,
            learning_rate=self.learning_rate,
            num_leaves=self.num_leaves,
            min_child_samples=self.min_child_samples,
            bin_construct_sample_cnt=1_000_000_000,  # more rows than there are: bins come from all of them
            deterministic=True,
            force_row_wise=True,  # else LightGBM times both layouts and takes the faster one
            n_jobs=1,
            verbosity=-1,
        )
