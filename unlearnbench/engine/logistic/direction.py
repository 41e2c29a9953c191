"""Quasi-Newton directions for many models: limited-memory BFGS around a matrix that is nearly the inverse Hessian.

With A for the inverse Hessian at the start and the pairs s = step taken, y = change of the gradient that followed, the
direction is the one of BFGS with all pairs (the two loops of Nocedal 1980, "Updating quasi-Newton matrices with limited
storage", Math. Comp. 35). With a fixed A each step reduces the error by the same factor; the pairs correct A in the few
directions in which the Hessian has changed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Pair(NamedTuple):
    """One step of every model."""

    s: Floats
    """(B, 1, p): the step."""
    y: Floats
    """(B, 1, p): the change of the gradient."""
    rho: Floats
    """(B, 1, 1): 1 / s'y, or 0, which ignores the pair."""


class Directions:
    """The directions of B models with A = ``inverse`` (p, p) + F F', F = ``downdate`` (B, p, q).

    ``inverse`` is shared by all models, so A is never formed: it is applied as two products.
    """

    def __init__(self, inverse: Floats, downdate: Floats) -> None:
        self._inverse = inverse
        self._downdate = downdate
        self._pairs: list[Pair] = []
        self._last: tuple[Floats, Floats] | None = None

    def next(self, gradient: Floats, active: NDArray[np.bool_]) -> Floats:
        """Return the steps (B', p) to subtract for the ``active`` (B,) models, given the gradients (B, p) of all.

        The others are dropped: the next call takes the gradients of the B' active models only.
        """
        g = gradient[:, None, :]
        if self._last is not None:
            s, y = -self._last[0], g - self._last[1]
            # The curvature s'y is positive up to rounding. If it is not, rho = 0 and the pair is ignored.
            curvature = s @ _t(y)
            rho = np.divide(1.0, curvature, out=np.zeros_like(curvature), where=curvature > np.finfo(np.float64).tiny)
            self._pairs.append(Pair(s, y, rho))
        if not active.all():
            g, self._downdate = g[active], self._downdate[active]
            self._pairs = [Pair(pair.s[active], pair.y[active], pair.rho[active]) for pair in self._pairs]
        step = self._bfgs(g)
        self._last = (step, g)
        return step[:, 0]

    def _bfgs(self, g: Floats) -> Floats:
        """Return the BFGS steps (B, 1, p) for gradients ``g`` (B, 1, p): the pairs backwards, A, the pairs forwards."""
        shares = []
        for s, y, rho in reversed(self._pairs):
            shares.append(rho * (s @ _t(g)))
            g = g - shares[-1] * y
        step = g @ self._inverse + (g @ self._downdate) @ _t(self._downdate)
        for (s, y, rho), share in zip(self._pairs, reversed(shares), strict=True):
            step = step + (share - rho * (y @ _t(step))) * s
        return np.asarray(step)


def _t(stack: Floats) -> Floats:
    return np.swapaxes(stack, 1, 2)
