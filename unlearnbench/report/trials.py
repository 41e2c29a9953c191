"""The trials of a tuning as a table and as a file."""

from __future__ import annotations

import math
from collections.abc import Sequence

from unlearnbench.report.formats import csv_text
from unlearnbench.run.tuning import Tried

HEADERS = ("unlearner", "trial", "chosen", "objective", "values", "reason")


def trial_lines(tried: Sequence[Tried], chosen: Sequence[object]) -> list[tuple[object, ...]]:
    """Return a line for each trial, by :data:`HEADERS`; ``chosen`` are the trials that were chosen."""
    return [
        (
            one.trial.base.label,
            one.trial.number,
            "yes" if any(one.trial is each for each in chosen) else "",
            f"{one.objective:.4f}" if math.isfinite(one.objective) else "failed",
            ", ".join(f"{name}={_short(value)}" for name, value in one.trial.values.items()),
            one.reason,
        )
        for one in tried
    ]


def trials_csv(tried: Sequence[Tried], chosen: Sequence[object]) -> str:
    """Return the same lines as CSV, numbers in full."""
    lines = []
    for line, one in zip(trial_lines(tried, chosen), tried, strict=True):
        values = ", ".join(f"{name}={value}" for name, value in one.trial.values.items())
        objective = repr(one.objective) if math.isfinite(one.objective) else line[3]
        lines.append((*line[:3], objective, values, line[5]))
    return csv_text(HEADERS, lines)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
