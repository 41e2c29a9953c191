"""Quasi-Newton directions for many models: limited-memory BFGS around a matrix that is nearly the inverse Hessian.

With A for the inverse Hessian at the start and the pairs s = step taken, y = change of the gradient that followed, the
direction is the one of BFGS with all pairs (the two loops of Nocedal 1980, "Updating quasi-Newton matrices with limited
storage", Math. Comp. 35). A fixed A shrinks the error by the same few percent each step; the pairs teach it the few
directions in which the Hessian has changed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Pair(NamedTuple):
    """One step (B, 1, p) of every model, the change of the gradient (B, 1, p), and 1 / s'y (B, 1, 1)."""

    s: Floats
    y: Floats
    rho: Floats


class Directions:
    """B models with A = ``inverse`` (p, p) + F F', F = ``downdate`` (B, p, q)."""

    def __init__(self, inverse: Floats, downdate: Floats) -> None:
        self._inverse = inverse
        self._downdate = downdate
        self._pairs: list[Pair] = []
        self._last: tuple[Floats, Floats] | None = None

    def next(self, gradient: Floats, on: NDArray[np.bool_]) -> Floats:
        """Return the steps (B', p) to subtract for the models that go ``on`` (B,), given the gradients (B, p) of all.

        Models that do not go on are forgotten: the next call is about the others only.
        """
        g = gradient[:, None, :]
        if self._last is not None:
            s, y = -self._last[0], g - self._last[1]
            bend = s @ _t(y)  # positive, as the objective is strictly convex, but for rounding: then the pair is mute
            rho = np.divide(1.0, bend, out=np.zeros_like(bend), where=bend > np.finfo(np.float64).tiny)
            self._pairs.append(Pair(s, y, rho))
        if not on.all():
            g, self._downdate = g[on], self._downdate[on]
            self._pairs = [Pair(pair.s[on], pair.y[on], pair.rho[on]) for pair in self._pairs]
        step = self._bfgs(g)
        self._last = (step, g)
        return step[:, 0]

    def _bfgs(self, g: Floats) -> Floats:
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
