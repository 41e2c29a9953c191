"""The trials of a tuning as tables and as a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from unlearnbench.report.formats import csv_text
from unlearnbench.suite.tuning import TrialRecord

HEADERS: Final = ("unlearner", "trial", "chosen", "objective", "values", "reason")
CHOSEN_HEADERS: Final = ("unlearner", "trials", "failed", "chosen", "objective", "values")


def trial_lines(trials: Sequence[TrialRecord]) -> list[list[object]]:
    """Return a line for each trial, by :data:`HEADERS`."""
    return [[*_name(one), _objective(one), _values(one, _short), one.reason] for one in trials]


def trials_csv(trials: Sequence[TrialRecord]) -> str:
    """Return the same lines as CSV, numbers in full."""
    objectives = ["failed" if one.objective is None else one.objective for one in trials]
    lines = ([*_name(one), told, _values(one, str), one.reason] for one, told in zip(trials, objectives, strict=True))
    return csv_text(HEADERS, lines)


def chosen_lines(trials: Sequence[TrialRecord]) -> list[list[object]]:
    """Return a line for each unlearner, by :data:`CHOSEN_HEADERS`: how many were tried, and which was chosen."""
    tried: dict[str, list[TrialRecord]] = {}
    for one in trials:
        tried.setdefault(one.unlearner, []).append(one)
    return [
        [name, len(some), sum(one.objective is None for one in some), *_chosen(some)] for name, some in tried.items()
    ]


def _chosen(trials: Sequence[TrialRecord]) -> list[object]:
    chosen = next((one for one in trials if one.chosen), None)
    return [chosen.trial, _objective(chosen), _values(chosen, _short)] if chosen else ["none", "", ""]


def _name(one: TrialRecord) -> list[object]:
    return [one.unlearner, one.trial, "yes" if one.chosen else ""]


def _objective(one: TrialRecord) -> str:
    return "failed" if one.objective is None else f"{one.objective:.4f}"


def _values(one: TrialRecord, form: Callable[[object], str]) -> str:
    return ", ".join(f"{name}={form(value)}" for name, value in one.values.items())


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
