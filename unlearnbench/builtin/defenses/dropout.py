"""Dropout in training (Srivastava et al. 2014), proposed against this leak by Fu et al. (arXiv 2605.01129)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from unlearnbench.core.defenses import TrainingDefense
from unlearnbench.core.options import TrainingOptions


@dataclass(frozen=True)
class Dropout(TrainingDefense):
    """Leave out a share of the hidden units in each training step, drawn for each record.

    ``share``: the share of hidden units left out
    """

    share: Annotated[float, Field(gt=0, lt=1)] = 0.5

    def training(self) -> TrainingOptions:
        """Return the option of dropout."""
        return TrainingOptions(dropout=self.share)
