"""Adversarial examples: the smallest change of a record, about, that changes the class that a network gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearnbench.engine.gradients.bounds import Bounds

if TYPE_CHECKING:
    import torch

_TINY = 1e-10
"""What is added to a length before it divides."""


def nearest_flips(
    bounds: Bounds, levels: torch.Tensor, labels: torch.Tensor, radius: float, steps: int
) -> torch.Tensor:
    """Return levels (n, ...) near those given that are not of the classes ``labels`` (n,), where such are found.

    Projected gradient ascent on the cross-entropy (Madry et al. 2018, arXiv 1706.06083) within an L2 ball around each
    record, ``steps`` of a tenth of its radius. Where the class stays, the radius is doubled and the search goes on from
    where it is, until the ball holds all records within the bounds.
    """
    import torch

    found = levels.clone()
    radii = torch.full_like(labels, radius, dtype=levels.dtype)
    largest = 2 * levels[0].numel() ** 0.5
    while len(left := ((bounds.predicted(found) == labels) & (radii < largest)).nonzero()[:, 0]):
        found[left] = _climb(bounds, levels[left], found[left], labels[left], radii[left], steps)
        radii[left] *= 2
    return found


def _climb(
    bounds: Bounds, start: torch.Tensor, found: torch.Tensor, labels: torch.Tensor, radii: torch.Tensor, steps: int
) -> torch.Tensor:
    """Return levels after so many steps within balls around ``start``; those of another class stay."""
    for _ in range(steps):
        right = bounds.predicted(found) == labels
        if not right.any():
            break
        slope = bounds.slope(found, labels)
        move = _scaled(slope, right * radii / 10 / (_lengths(slope) + _TINY))
        away = found + move - start
        found = (start + _scaled(away, (radii / (_lengths(away) + _TINY)).clamp(max=1))).clamp(0, 1)
    return found


def _lengths(rows: torch.Tensor) -> torch.Tensor:
    import torch

    lengths: torch.Tensor = torch.linalg.vector_norm(rows.flatten(1), dim=1)
    return lengths


def _scaled(rows: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
    return rows * factors.reshape(-1, *[1] * (rows.dim() - 1))
