"""RULI: the likelihood ratio of u-lira by kernel density estimates (Naderloui et al. 2025, arXiv 2506.13009)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat

from unlearnbench.builtin.attacks.gaussian import SMALLEST, Chosen, Normals, Numbers, count
from unlearnbench.builtin.attacks.per_record import PerRecordAttack, unlearned_odds
from unlearnbench.builtin.attacks.u_lira import Outside, answers_outside
from unlearnbench.core.observations import View

Bandwidth = PositiveFloat | Literal["scott"]
"""The standard deviation of a kernel, in log-odds, or Scott's rule for each record and side."""


@dataclass(frozen=True)
class Ruli(PerRecordAttack):
    """Score log K(q; unlearned) - log K(q; out), where q is the log-odds of the true class after unlearning.

    K are Gaussian kernel density estimates from what reference models answer about this record: those that were trained
    on it and have deleted it, and those that were never trained on it, as in ``u-lira``. The paper's score is
    1 / (1 + exp(-s)) of this score s, which ranks records alike but is 0 or 1 for distant answers.

    ``references``: reference models, half of which were trained on any one record

    ``out``: what models without the record have done: ``unlearned`` other records, or ``original`` models as in the
    paper, with which a method that only adds noise is called leaky

    ``bandwidth``: of the kernels, in log-odds; 1 is that of the authors' code. ``scott`` is n^(-1/5) times the standard
    deviation of the n answers
    """

    out: Outside = "unlearned"
    bandwidth: Bandwidth = 1.0

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the log of the likelihood ratio (n,), natural logarithm."""
        odds, known = unlearned_odds(view), view.references
        unlearned = self._log_density(odds, known.after, known.member)
        return unlearned - self._log_density(odds, answers_outside(known, self.out), ~known.member)

    def _log_density(self, odds: Numbers, answers: Numbers, chosen: Chosen) -> Numbers:
        """Return the log-density (n,) at ``odds`` (n,), by kernels at the chosen answers (n, N)."""
        width = scott(answers, chosen) if self.bandwidth == "scott" else np.full(len(odds), self.bandwidth)
        exponents = np.where(chosen, -0.5 * ((odds[:, None] - answers) / width[:, None]) ** 2, -np.inf)
        top = exponents.max(axis=1)
        kernels = np.exp(exponents - top[:, None]).sum(axis=1)
        return np.asarray(top + np.log(kernels / count(chosen)) - np.log(width) - 0.5 * np.log(2 * np.pi))


def scott(answers: Numbers, chosen: Chosen) -> Numbers:
    """Return the bandwidth (n,) by Scott's rule: the sample standard deviation of n answers times n^(-1/5)."""
    n = count(chosen)
    sample = Normals.of(answers, chosen, "mean").deviation * np.sqrt(n / (n - 1))
    return np.asarray(sample * n**-0.2 + SMALLEST)
