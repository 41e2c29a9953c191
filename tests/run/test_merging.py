"""Two entries hold the same results if they differ in nothing but what is measured of the machine."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unlearnbench.run.entries import Entry
from unlearnbench.run.merging import same_results

PAYLOAD: dict[str, Any] = {
    "seconds": {"train": 1.0, "unlearn": 2.0},
    "memory": 3e6,
    "environment": {"numpy": "2.0"},
    "metrics": {"auc": {"value": 0.7}, "seconds-to-train": {"value": 1.0}, "memory-over-retraining": {"value": 2.0}},
    "order": ["auc", "seconds-to-train", "memory-over-retraining"],
}
SCORES = np.arange(4.0)


def without_memory(payload: dict[str, Any]) -> None:
    """As it was stored before memory was measured, or where it cannot be."""
    del payload["memory"], payload["metrics"]["memory-over-retraining"], payload["order"][2]


def other_times(payload: dict[str, Any]) -> None:
    payload["seconds"] = {"train": 9.0}
    payload["metrics"]["seconds-to-train"]["value"] = 9.0


def other_place(payload: dict[str, Any]) -> None:
    payload["environment"]["numpy"] = "3.0"


def other_models(payload: dict[str, Any]) -> None:
    payload["measured_sha256"] = "cd" * 32


def other_number(payload: dict[str, Any]) -> None:
    payload["metrics"]["auc"]["value"] = 0.8


def another_metric(payload: dict[str, Any]) -> None:
    payload["order"].append("mine")


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (without_memory, True),
        (other_times, True),
        (other_place, True),
        (other_models, True),
        (other_number, False),
        (another_metric, False),
    ],
)
def test_what_is_measured_of_the_machine_is_left_aside(change: Callable[[dict[str, Any]], None], same: bool) -> None:
    payload = copy.deepcopy(PAYLOAD)
    change(payload)
    assert same_results(Entry(PAYLOAD, {"scores": SCORES}), Entry(payload, {"scores": SCORES})) is same


def test_arrays_are_the_same_to_the_bit() -> None:
    assert not same_results(Entry(PAYLOAD, {"scores": SCORES}), Entry(PAYLOAD, {"scores": -SCORES}))
