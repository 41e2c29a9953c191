"""Differentially private training (Abadi et al. 2016; a defense of Chen et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat

from unlearnbench.core.defenses import TrainingDefense
from unlearnbench.core.errors import UserError
from unlearnbench.core.options import DPSGD, TrainingOptions


@dataclass(frozen=True)
class DPTraining(TrainingDefense):
    """Train by DP-SGD: Poisson batches, per-record gradients clipped, Gaussian noise on their sum.

    Original and unlearned models are trained in the same way and never share noise. The guarantee, and the metric
    ``epsilon``, are for the original alone. A retained record is used in the training of every published version. Their
    epsilons add up if batches are drawn again (``order: fresh``). If versions share the original's batches, two
    versions leak as much as one whose noise is smaller by a factor of the square root of two. Needs Opacus, whose
    accountant computes epsilon.

    ``noise_multiplier``: standard deviation of the noise, in units of ``clip``; 1.2 as in the paper's code

    ``clip``: largest norm of one record's gradient

    ``delta``: the delta at which epsilon is reported
    """

    noise_multiplier: NonNegativeFloat = 1.2
    clip: PositiveFloat = 1.0
    delta: Annotated[float, Field(gt=0, lt=1)] = 1e-5

    def training(self) -> TrainingOptions:
        """Return the options of DP-SGD. UserError without Opacus, before anything is trained."""
        if find_spec("opacus") is None:
            raise UserError('dp-sgd needs Opacus to compute epsilon: pip install "unlearnbench[dp]"')
        return TrainingOptions(dp=DPSGD(self.noise_multiplier, self.clip, self.delta))
