"""How many tasks a pack has: as many as take some seconds, by the packs that were done."""

from __future__ import annotations

from typing import Final

SECONDS: Final = 2.0
"""How long a pack should take: sending one takes some hundredths."""
LARGEST: Final = 128
"""The most tasks of a pack: their outcomes come back together."""


class Pace:
    """Measures packs. The first has one task; each may have twice as many as the largest so far."""

    def __init__(self) -> None:
        self.most = 1
        """The most tasks that the next pack may have."""

    def learn(self, tasks: int, seconds: float) -> None:
        """Take note of how long a pack took."""
        fitting = int(SECONDS * tasks / max(seconds, 1e-6))
        self.most = max(1, min(fitting, 2 * self.most, LARGEST))
