"""Whom a deletion reveals most, by group and by record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import beta

from unlearnbench.audit.answers import read_answers
from unlearnbench.audit.leak import Audit, audit
from unlearnbench.audit.page import group_note, group_table, html, record_table, to_dict
from unlearnbench.audit.risk import group_risks, record_risks
from unlearnbench.audit.verdict import judge
from unlearnbench.hooks.registry import Registry
from unlearnbench.stats import auc

Arrays = dict[str, Any]


@pytest.fixture
def audited(
    arrays: Callable[..., Arrays], npz: Callable[..., Path], registry: Registry
) -> Callable[[dict[str, Any]], Audit]:
    def audited(more: dict[str, Any]) -> Audit:
        made = arrays(forgotten=60, unseen=120, leak=1.0)
        return audit(read_answers(npz({**made, **more})), None, registry)

    return audited


Audited = Callable[[dict[str, Any]], Audit]
GROUP = np.concatenate([np.repeat(["a", "b", "c", ""], [20, 25, 5, 10]), np.resize(["a", "b", "c", ""], 130)])


def test_a_group_has_the_auc_of_its_deleted_against_its_unseen_records(audited: Audited) -> None:
    found = audited({"group": GROUP})
    risks, small = group_risks(found)
    assert small == 1
    assert sorted((risk.group, risk.forgotten, risk.unseen) for risk in risks) == [("a", 20, 30), ("b", 25, 30)]
    forgotten, unseen = np.arange(190) < 60, (np.arange(190) >= 60) & (np.arange(190) < 180)
    for risk in risks:
        rows = (risk.group == GROUP) & (forgotten | unseen)
        assert risk.auc.value == pytest.approx(auc(found.findings[0].scores[rows], forgotten[rows]))
        assert risk.auc.low is not None
        assert risk.auc.low < (risk.auc.value or 0) < (risk.auc.high or 0)
    assert [risk.auc.value for risk in risks] == sorted((risk.auc.value or 0 for risk in risks), reverse=True)


def test_small_groups_are_counted_and_not_named(audited: Audited) -> None:
    found = audited({"group": GROUP})
    assert {line[0] for line in group_table(found)} == {"a", "b"}
    assert group_note(found).endswith("1 with fewer than 10 deleted or unseen records are not shown")


def test_without_groups_there_are_none(audited: Audited) -> None:
    found = audited({})
    assert (group_risks(found), group_table(found)) == (([], 0), [])


def test_a_record_has_the_share_of_unseen_records_that_score_as_high(audited: Audited) -> None:
    found = audited({"record": np.array([f"id-{row}" for row in range(190)])})
    risks = record_risks(found)
    assert len(risks) == 60
    scores = found.findings[0].scores
    for risk in risks:
        own = scores[int(risk.record.removeprefix("id-"))]
        above = int((scores[60:180] >= own).sum())
        assert risk.share == above / 120
        assert risk.high == pytest.approx(beta.ppf(0.975, above + 1, 120 - above) if above < 120 else 1)
    assert [risk.share for risk in risks] == sorted(risk.share for risk in risks)


def test_where_deleted_records_score_low_the_reversed_ranking_counts(
    arrays: Callable[..., Arrays], npz: Callable[..., Path], registry: Registry
) -> None:
    found = audit(read_answers(npz(arrays(forgotten=60, leak=-2.0))), None, registry)
    reversed_ = [one for one in found.findings if one.attack == "score-diff"]
    assert (reversed_[0].auc.value or 1) < 0.1
    weakest = replace(found, findings=reversed_)
    assert np.mean([risk.share for risk in record_risks(weakest)]) < 0.3


def test_a_record_without_an_id_is_named_by_its_row(audited: Audited) -> None:
    assert {int(risk.record) for risk in record_risks(audited({}))} == set(range(60))


def test_page_and_data_hold_both(audited: Audited) -> None:
    found = audited({"group": GROUP})
    page, data = html(found, judge(found)), to_dict(found, judge(found))
    assert "of the same group" in page
    assert "Deleted records that stand out most" in page
    assert len(record_table(found)) == 10
    assert data["groups_too_small"] == 1
    assert len(data["records"]) == 60  # type: ignore[arg-type]  # a list
