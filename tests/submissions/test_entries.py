"""Entries: their curves, how they are named, and how large those of the boards are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.submissions.house import House
from unlearnbench.core.errors import UserError
from unlearnbench.run.protocol import read_entry


def test_the_area_under_each_curve_is_nearly_its_auc(five: House) -> None:
    board = five.published()
    aucs = {tuple(row.names.values()): row.metrics["auc"].value for row in board.rows}
    assert {"sorted-diff", "euclidean"} <= {curve.labels["attack"] for curve in board.curves}
    for curve in board.curves:
        assert (curve.fpr[0], curve.fpr[-1], curve.tpr[-1]) == (0.0, 1.0, 1.0)
        assert np.trapezoid(curve.tpr, curve.fpr) == pytest.approx(aucs[tuple(curve.labels.values())], abs=0.03)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sisa", "must be AXIS=NAME"),
        ("scenario=single", "must be AXIS=NAME"),
        ("unlearner=retrain", "is a control or a baseline"),
        ("unlearner=sisa:shards", "must be PARAMETER=VALUE"),
        ("unlearner=siso", "siso"),
        ("unlearner=sisa:shards=0", "shards"),
    ],
)
def test_an_entry_that_is_none_is_refused_in_one_line(five: House, text: str, told: str) -> None:
    with pytest.raises(UserError, match=told) as caught:
        read_entry(text, five.suite, five.registry)
    assert len(str(caught.value).splitlines()) == 1


BOARDS = Path(__file__).parents[2] / "leaderboards"
MOST_BYTES = 10 * 2**20
"""Of an entry; most have 1 to 3 MiB."""


@pytest.mark.parametrize("folder", sorted(BOARDS.glob("*/submissions/*")), ids=lambda folder: folder.name)
def test_an_entry_of_the_boards_is_small(folder: Path) -> None:
    assert sum(file.stat().st_size for file in folder.iterdir()) <= MOST_BYTES
