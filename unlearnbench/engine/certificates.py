"""What certificates of unlearning cost: noise for an (epsilon, delta), and the epsilon that noisy training ends at.

An unlearned model with a certificate (epsilon, delta) is as hard to tell from a retrained one, for who sees one of the
two, as two outputs of an (epsilon, delta)-private mechanism.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log, log1p, sqrt

import numpy as np
from numpy.typing import NDArray

Orders = NDArray[np.float64] | np.float64
Divergence = Callable[[Orders], Orders]
"""Returns the Renyi divergence of two laws at each order above 1."""


def gaussian_delta(epsilon: float, ratio: float) -> float:
    """Return the delta of Gaussian noise at ``epsilon``, where ``ratio`` is sensitivity / standard deviation.

    Source: Balle and Wang 2018, arXiv 1805.06530, theorem 8.
    """
    from scipy.special import log_ndtr

    if ratio == 0:
        return 0.0
    near, far = log_ndtr(ratio / 2 - epsilon / ratio), epsilon + log_ndtr(-ratio / 2 - epsilon / ratio)
    return float(np.exp(near) * -np.expm1(far - near))  # far <= near: no digits are lost in the difference


def gaussian_sigma(epsilon: float, delta: float, sensitivity: float) -> float:
    """Return the least standard deviation of Gaussian noise that gives (epsilon, delta)."""
    from scipy.optimize import brentq

    def excess(log_ratio: float) -> float:
        return gaussian_delta(epsilon, exp(log_ratio)) - delta

    return float(sensitivity / exp(brentq(excess, log(1e-9), log(1e9), xtol=1e-14)))


def removal_budget(sigma: float, epsilon: float, delta: float) -> float:
    """Return how large the gradient may be that removal leaves, of a loss perturbed by b ~ N(0, sigma^2).

    Source: Guo et al. 2020, arXiv 1911.03030, theorem 3.
    """
    return sigma * epsilon / sqrt(2 * log(1.5 / delta))


def descent_sigma(
    smooth: float, convex: float, lipschitz: float, n: int, steps: int, epsilon: float, delta: float
) -> float:
    """Return the noise of perturbed gradient descent after ``steps`` on n records, for one record changed.

    ``smooth`` and ``convex`` bound the curvature of the mean loss, ``lipschitz`` the gradient of one record's. Source:
    Neel et al. 2021, arXiv 2007.02923, theorem 9.
    """
    left = ((smooth - convex) / (smooth + convex)) ** steps
    room = sqrt(log(1 / delta) + epsilon) - sqrt(log(1 / delta))
    return 4 * sqrt(2) * lipschitz * left / (convex * n * (1 - left) * room)


def rewind_factor(smooth: float, rate: float, steps: int, kept: int, removed: int, n: int) -> float:
    """Return h(K): how far apart two runs of gradient descent may drift, in units of 2 removed G / (smooth n).

    The runs have ``steps``; the last K = ``kept`` are on the same records, the others on n records of which ``removed``
    differ. G bounds the gradient of a record's loss. Infinite where it is beyond float64. Source: Mu and Klabjan 2024,
    arXiv 2409.09778.
    """
    first, last = (steps - kept) * log1p(rate * smooth * n / (n - removed)), kept * log1p(rate * smooth)
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.nan_to_num(np.expm1(first) * np.exp(last), nan=0.0, posinf=np.inf))


def law_shift(convex: float, lipschitz: float, sigma: float, n: int, removed: int) -> Divergence:
    """Return the divergence of the stationary laws of noisy descent on n records, of which ``removed`` differ.

    ``convex`` bounds the curvature of the mean loss, ``lipschitz`` the gradient of one record's. Source: Chien et al.
    2024, arXiv 2401.10371, theorem 3.2.
    """
    return lambda order: 4 * order * (removed * lipschitz) ** 2 / (convex * sigma**2 * n**2)


def law_after(start: Divergence, convex: float, rate: float, steps: int) -> Divergence:
    """Return what ``steps`` of noisy descent leave of a divergence from their stationary law (as above)."""
    return lambda order: np.exp(-steps * convex * rate / order) * start(order)


def law_between(first: Divergence, second: Divergence) -> Divergence:
    """Return a bound on the divergence of P from R, given those of P from Q and of Q from R.

    Source: Mironov 2017, arXiv 1702.07476, proposition 11.
    """
    return lambda order: (order - 0.5) / (order - 1) * first(2 * order) + second(2 * order - 1)


def renyi_epsilon(divergence: Divergence, delta: float) -> float:
    """Return the least epsilon at ``delta`` that a divergence gives, over its orders (Mironov 2017, proposition 3)."""
    from scipy.optimize import minimize_scalar

    def epsilon(log_excess: Orders) -> Orders:
        order = 1 + np.exp(log_excess)
        return divergence(order) + log(1 / delta) / (order - 1)

    grid = np.linspace(log(1e-3), log(1e9), 400)
    near = int(np.clip(np.argmin(epsilon(grid)), 1, len(grid) - 2))
    found = minimize_scalar(
        lambda at: float(epsilon(np.float64(at))),
        bounds=(float(grid[near - 1]), float(grid[near + 1])),
        method="bounded",
        options={"xatol": 1e-12},
    )
    return float(found.fun)
