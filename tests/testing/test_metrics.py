"""Each check of metrics lets a good one pass, and finds the one that breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from unlearnbench import Estimate, Metric
from unlearnbench.core.metrics import ScoredCell
from unlearnbench.testing import checks_of

if TYPE_CHECKING:
    from tests.testing.conftest import Found


class Good(Metric):
    """The mean score, with an interval as wide as the scores."""

    def measure(self, cell: ScoredCell) -> dict[str, Estimate]:
        scores = np.sort(cell.scores)
        return {"mean-score": Estimate(float(scores.mean()), float(scores[0]), float(scores[-1]), len(scores))}


class Number(Good):
    def measure(self, cell: ScoredCell) -> dict[str, Estimate]:
        return {"mean-score": float(cell.scores.mean())}  # type: ignore[dict-item]  # the wrong type is the test


class Nothing(Good):
    def measure(self, cell: ScoredCell) -> dict[str, Estimate]:
        return {}


class Outside(Good):
    def measure(self, cell: ScoredCell) -> dict[str, Estimate]:
        return {"mean-score": Estimate(0.1, 0.2, 0.3, 4)}


class LoudName(Good):
    def measure(self, cell: ScoredCell) -> dict[str, Estimate]:
        return {"Mean score": super().measure(cell)["mean-score"]}


class OtherNames(Good):
    def measure(self, cell: ScoredCell) -> dict[str, Estimate]:
        return {f"mean-{int(1000 * cell.scores[0])}": super().measure(cell)["mean-score"]}


class Unseeded(Good):
    def measure(self, cell: ScoredCell) -> dict[str, Estimate]:
        return {"mean-score": Estimate(np.random.default_rng().random(), 0, 1, 4)}


class GlobalDraws(Good):
    def measure(self, cell: ScoredCell) -> dict[str, Estimate]:
        np.random.seed(0)  # noqa: NPY002 - that is what is wrong
        return super().measure(cell)


class InPlace(Good):
    def measure(self, cell: ScoredCell) -> dict[str, Estimate]:
        cell.scores.sort()
        return super().measure(cell)


class First(Good):
    def measure(self, cell: ScoredCell) -> dict[str, Estimate]:
        return {"mean-score": Estimate(float(cell.scores[0]), 0, 1, 1)}


class NeedsNegatives(Good):
    def measure(self, cell: ScoredCell) -> dict[str, Estimate]:
        rows = cell.against(cell.negative)
        return {"gap": Estimate(float(rows.scores.max() - rows.scores[~rows.positive].max()), -1, 1, 4)}


BROKEN = [
    (Number, "gives-estimates"),
    (Nothing, "gives-estimates"),
    (Outside, "gives-estimates"),
    (LoudName, "names-are-plain"),
    (OtherNames, "names-are-plain"),
    (Unseeded, "same-cell-same-estimates"),
    (GlobalDraws, "leaves-the-process-as-it-was"),
    (InPlace, "inputs-stay-as-they-were"),
    (First, "order-of-rows-has-no-influence"),
    (NeedsNegatives, "edge-cases"),
]


def test_a_good_metric_passes(found: Found) -> None:
    assert found("metric", Good) == set()


@pytest.mark.parametrize(("cls", "check"), BROKEN)
def test_what_is_broken_is_found(cls: type[Metric], check: str, found: Found) -> None:
    assert check in found("metric", cls)


def test_every_check_fails_for_one_of_these() -> None:
    assert {check for _, check in BROKEN} == {check.name for check in checks_of("metric")}
