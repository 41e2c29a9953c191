"""Scales on which intervals are symmetric: logit for shares, logarithm for times, Fisher's z for gains."""

from __future__ import annotations

import math

from unlearnbench.core.estimates import Scale


def forward(value: float, scale: Scale) -> float:
    """Return the value on its scale; an end of its range is infinite there."""
    if scale == "share":
        return _log(value) - _log(1 - value)
    if scale == "gain":
        return (_log(1 + value) - _log(1 - value)) / 2
    return _log(value) if scale == "positive" else value


def backward(x: float, scale: Scale) -> float:
    """Return the value of a point of the scale, which is always within its range."""
    if scale == "share":
        small = math.exp(-abs(x))
        return (1 if x > 0 else small) / (1 + small)
    if scale == "gain":
        return math.tanh(x)
    return math.exp(min(x, 700.0)) if scale == "positive" else x  # e^700 is nearly the largest float


def slope(value: float, scale: Scale) -> float:
    """Return the derivative of :func:`forward`, infinite at the ends of the range."""
    width = {"share": value * (1 - value), "gain": 1 - value**2, "positive": value, "real": 1.0}[scale]
    return 1 / width if width > 0 else math.inf


def ends(value: float, half: float, scale: Scale) -> tuple[float, float]:
    """Return the interval that is symmetric on the scale and, to first order, ``half`` wide to each side."""
    middle, steep = forward(value, scale), slope(value, scale)
    if not math.isfinite(steep):
        return value, value
    return backward(middle - half * steep, scale), backward(middle + half * steep, scale)


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf
