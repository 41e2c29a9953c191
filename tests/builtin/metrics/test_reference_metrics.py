"""Metrics of what reference models answer about deleted records: KLOM and forgetting quality."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.builtin.metrics.forgetting_quality import ForgettingQuality
from unlearnbench.builtin.metrics.klom import NO_TAIL, Klom
from unlearnbench.builtin.metrics.reference_samples import NO_RECORDS, NO_RETRAINING
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.core.references import ReferenceAnswers
from unlearnbench.stats.forgetting_quality import record_qualities, told_apart
from unlearnbench.stats.klom import klom
from unlearnbench.testing.samples import scored_cell

MODELS = 16
METRICS = (Klom(references=MODELS), ForgettingQuality(references=MODELS))


def cell_of(remembered: float, seed: int = 0) -> ScoredCell:
    """A cell with 200 deleted records, whose trace of one nat unlearning keeps in this part; retraining keeps none."""
    cell = scored_cell(originals=10, requests=20, references=MODELS, retrained=True)
    assert cell.retrained is not None
    assert cell.references is not None
    rng, member = np.random.default_rng(seed), cell.references.member
    chance = rng.normal(size=member.shape)
    before = chance + 3 * member

    def answers(after: NDArray[np.float64]) -> ReferenceAnswers:
        return ReferenceAnswers(before, after, member)

    retrained = replace(cell.retrained, references=answers(chance))
    return replace(cell, references=answers(chance + 3 * remembered * member), retrained=retrained)


def values(metric: Metric, cell: ScoredCell) -> dict[str, float]:
    return {name: float(estimate.value or 0) for name, estimate in metric.measure(cell).items()}


def test_they_compare_models_that_deleted_a_record_with_those_that_never_held_it() -> None:
    cell = cell_of(0.5)
    assert cell.retrained is not None
    unlearned, retrained, without = [], [], []
    for row in np.flatnonzero(cell.has_role(cell.positive)):
        own, other = cell.references, cell.retrained.references
        assert own is not None
        assert other is not None
        unlearned.append(own.after[row, own.member[row]])
        retrained.append(other.after[row, own.member[row]])
        without.append(other.after[row, ~own.member[row]])
    pairs = {
        "klom-unlearned-retrained": klom(unlearned, without),
        "klom-retrained-unlearned": klom(without, unlearned),
        "klom-floor": klom(retrained, without),
    }
    expected = {name: each.mean() for name, each in pairs.items()}
    expected |= {f"{name}-95": np.percentile(each, 95) for name, each in pairs.items()}
    assert values(METRICS[0], cell) == pytest.approx(expected, rel=1e-12)
    assert values(METRICS[1], cell) == pytest.approx(
        {
            "forgetting-quality-n8": record_qualities(told_apart(unlearned, without), 8).mean(),
            "forgetting-quality-n8-retrained": record_qualities(told_apart(retrained, without), 8).mean(),
        },
        rel=1e-12,
    )


def test_means_have_an_interval_over_records_and_models_and_percentiles_none() -> None:
    found = {name: each for metric in METRICS for name, each in metric.measure(cell_of(0.5)).items()}
    for name, estimate in found.items():
        value, low, high = estimate.value, estimate.low, estimate.high
        assert value is not None
        if name.endswith("-95"):
            assert (estimate.status, estimate.reason) == ("no-interval", NO_TAIL)
        else:
            assert low is not None
            assert high is not None
            assert 0 < low < value < high
            assert estimate.details["models_se"] >= 0


def test_few_pairs_of_models_have_no_interval() -> None:
    found = Klom(references=8).measure(cell_of(0.5))["klom-floor"]
    assert (found.status, found.reason) == ("no-interval", "an interval needs 5 records and 5 models of either kind")


def test_retraining_has_the_floor_and_what_keeps_a_trace_is_worse() -> None:
    kept, perfect = values(METRICS[0], cell_of(1.0)), values(METRICS[0], cell_of(0.0))
    assert perfect["klom-unlearned-retrained"] == perfect["klom-floor"]
    assert kept["klom-unlearned-retrained"] > kept["klom-floor"] + 1
    kept, perfect = values(METRICS[1], cell_of(1.0)), values(METRICS[1], cell_of(0.0))
    assert perfect["forgetting-quality-n8"] == perfect["forgetting-quality-n8-retrained"] < 1
    assert kept["forgetting-quality-n8"] < 0.5 * kept["forgetting-quality-n8-retrained"]


@pytest.mark.parametrize("metric", METRICS, ids=repr)
def test_a_record_that_several_requests_query_counts_once(metric: Metric) -> None:
    cell = cell_of(0.5)
    assert cell.retrained is not None
    twice = np.repeat(np.arange(len(cell.scores)), 2)
    doubled = replace(cell.take(twice), retrained=cell.retrained.take(twice))
    assert values(metric, doubled) == values(metric, cell)


@pytest.mark.parametrize("metric", METRICS, ids=repr)
def test_where_something_is_missing_the_reason_is_told(metric: Metric) -> None:
    cell = cell_of(0.5)
    assert cell.retrained is not None
    others = ~cell.has_role(cell.positive)
    missing = {
        NO_RETRAINING: replace(cell, retrained=None),
        NO_RECORDS: replace(cell.take(others), retrained=cell.retrained.take(others)),
        "needs 16 reference models; the suite's adversary offers fewer": replace(cell, references=None),
    }
    for reason, lacking in missing.items():
        found = metric.measure(lacking)
        assert found.keys() == metric.measure(cell).keys()
        assert {(estimate.value, estimate.reason) for estimate in found.values()} == {(None, reason)}
