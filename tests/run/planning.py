"""What every plan holds, whatever its suite lists."""

from __future__ import annotations

CONTROLS = {"none", "random-noise", "noise-floor", "retrain"}


ATTACKS = {"random", "blind", "oracle-label", "classical", "forgetting"}
