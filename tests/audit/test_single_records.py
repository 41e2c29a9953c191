"""Attacks on single records in an audit: what they find, which records they judge, and what fewer models show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.audit.conftest import Read, Save
from tests.audit.reference_case import MODELS, Arrays, case, rows_of, with_population
from unlearnbench.audit.answers import read_answers
from unlearnbench.audit.findings import AttackFinding
from unlearnbench.audit.leak import Audit, audit, doublings
from unlearnbench.audit.page import about, html, models_note, models_table, to_dict
from unlearnbench.audit.references import LeftOut
from unlearnbench.audit.risk import record_risks
from unlearnbench.audit.verdict import judge
from unlearnbench.core.posteriors import log_odds, log_of
from unlearnbench.hooks.registry import Registry


def audited(read: Read, registry: Registry, both: tuple[Arrays, Arrays]) -> Audit:
    answers, references = read(*both)
    return audit(answers, None, registry, references)


def of(found: Audit, name: str) -> AttackFinding:
    return next(finding for finding in found.findings if finding.attack == name)


def test_u_lira_has_the_value_of_a_plain_loop(read: Read, registry: Registry) -> None:
    target, references = case(kept=0.6)
    finding = of(audited(read, registry, (target, references)), "u-lira")
    asked = log_odds(log_of(target["after"]), target["label"])
    for row, record in enumerate(target["record"]):
        own = references["record"] == record
        odds = log_odds(log_of(references["after"][own]), np.repeat(target["label"][row], MODELS))
        inside = references["member"][own] == "in"
        density = [
            -0.5 * ((asked[row] - odds[side].mean()) / odds[side].std()) ** 2 - np.log(odds[side].std())
            for side in (inside, ~inside)
        ]
        assert finding.scores[row] == pytest.approx(density[0] - density[1], rel=1e-9, abs=1e-9)


def test_they_find_what_is_kept_and_nothing_where_it_is_not(read: Read, registry: Registry) -> None:
    def auc(kept: float) -> float:
        return float(of(audited(read, registry, case(kept=kept)), "u-lira").auc.value or 0)

    assert auc(1.0) > 0.85
    assert auc(0.0) == pytest.approx(0.5, abs=0.15)


def test_all_attacks_on_single_records_are_tried_with_all_models(read: Read, registry: Registry) -> None:
    found = audited(read, registry, case())
    tried = {finding.attack for finding in found.findings}
    assert {"u-lira", "u-lira-pair", "lira", "lira-offline", "ruli", "update-lira", "iam"} <= tried
    assert "population" in found.left_out["rmia"]


def test_without_them_it_says_what_is_needed(npz: Save, registry: Registry) -> None:
    found = audit(read_answers(npz(case()[0])), None, registry)
    assert found.left_out["u-lira"] == "needs the answers of reference models; give them as references"


def test_rmia_and_population_have_the_values_of_plain_loops(read: Read, registry: Registry) -> None:
    target, references = with_population(*case(kept=0.6))
    found = audited(read, registry, (target, references))
    asked = target["role"] != "population"
    p = np.take_along_axis(target["after"], target["label"][:, None], axis=1)[:, 0]
    outside = np.array(
        [mean_outside(references, name, c) for name, c in zip(target["record"], target["label"], strict=True)]
    )
    ratio = p / (0.5 * (1.3 * outside + 0.7))
    assert of(found, "rmia").scores == pytest.approx([(ratio[~asked] < one / 2).mean() for one in ratio[asked]])
    assert of(found, "population").scores == pytest.approx([(p[~asked] < one).mean() for one in p[asked]])


def mean_outside(references: Arrays, record: str, label: int) -> float:
    own = (references["record"] == record) & (references["member"] == "out")
    return float(references["before"][own, label].mean())


def test_rmia_finds_what_is_kept_and_the_population_is_judged_by_no_attack(read: Read, registry: Registry) -> None:
    found = audited(read, registry, with_population(*case(kept=1.0)))
    assert float(of(found, "rmia").auc.value or 0) > 0.8
    assert {len(finding.scores) for finding in found.findings} == {120}
    assert "a population of 40" in about(found)
    assert to_dict(found, judge(found))["population"] == 40


def test_a_population_without_reference_models_is_for_the_attack_that_needs_none(npz: Save, registry: Registry) -> None:
    found = audit(read_answers(npz(with_population(*case())[0])), None, registry)
    assert of(found, "population").models == 0
    assert found.left_out["rmia"] == "needs the answers of reference models; give them as references"


def test_records_of_the_population_that_some_model_has_no_answer_about_are_left_out_and_counted(
    read: Read, registry: Registry
) -> None:
    target, references = with_population(*case(kept=0.6))
    lacking = (references["record"] == "p3") & (references["model"] == 5)
    found = audited(read, registry, (target, rows_of(references, ~lacking)))
    assert found.not_judged["population"] == LeftOut(1, 0)
    without = target["record"] != "p3"
    kept = references["record"] != "p3"
    fewer = audited(read, registry, (rows_of(target, without), rows_of(references, kept)))
    assert of(found, "rmia").scores.tolist() == of(fewer, "rmia").scores.tolist()
    none = references["record"].astype("U1") != "p"
    told = audited(read, registry, (target, rows_of(references, none))).left_out["rmia"]
    assert told == "needs 100 records of the population that all reference models answer about, and there are 0"


def test_records_with_too_few_models_of_a_side_are_left_out_and_counted(read: Read, registry: Registry) -> None:
    target, references = case(kept=0.6)
    one_sided, unanswered = target["record"][[0, 1, 40]], target["record"][[2, 41, 42, 43]]
    references["member"][np.isin(references["record"], one_sided[:2]) & (references["model"] > 0)] = "out"
    references["member"][references["record"] == one_sided[2]] = "in"
    gone = np.isin(references["record"], unanswered) & (
        (references["model"] == 3) | (references["record"] == unanswered[3])
    )
    found = audited(read, registry, (target, rows_of(references, ~gone)))
    counts = {name: (few.unanswered, few.one_sided) for name, few in found.not_judged.items()}
    assert counts == {"forgotten": (1, 2), "retained": (0, 0), "unseen": (3, 1), "population": (0, 0)}
    left = ~np.isin(target["record"], [*one_sided, *unanswered])
    fewer = audited(read, registry, (rows_of(target, left), references))
    for name in ("u-lira", "lira", "update-lira", "iam"):
        assert of(found, name).scores.tolist() == of(fewer, name).scores.tolist()
        assert of(found, name).auc == of(fewer, name).auc
    assert len(of(found, "score-diff").scores) == 120
    verdict = judge(found)
    told = (
        "Attacks on single records leave out 3 forgotten, 4 unseen records: about 4 some reference model has no "
        "answer; on 3 fewer than 2 models were trained, or all but fewer than 2. Nothing is filled in."
    )
    assert told in verdict.sentences
    assert told in html(found, verdict)
    data: Any = to_dict(found, verdict)
    assert data["not_judged"]["unseen"] == {"unanswered": 3, "one_sided": 1}


def test_where_none_are_left_out_nothing_is_told(read: Read, registry: Registry) -> None:
    assert not any("leave out" in sentence for sentence in judge(audited(read, registry, case())).sentences)


def test_risks_and_curves_are_of_the_records_that_the_strongest_attack_judges(read: Read, registry: Registry) -> None:
    target, references = case(kept=0.6)
    references["member"][references["record"] == target["record"][0]] = "in"
    found = audited(read, registry, (target, references))
    alone = replace(found, findings=[of(found, "update-lira")])
    assert {risk.record for risk in record_risks(alone)} == set(target["record"][1:30])
    assert "update-lira" in html(alone, judge(found))


def test_it_tells_what_fewer_reference_models_show(read: Read, registry: Registry) -> None:
    target, references = case(kept=1.0)
    found = audited(read, registry, (target, references))
    assert list(found.by_models) == [4, 8]
    strongest = of(found, found.by_models[8].attack)
    assert strongest.distance == max(finding.distance for finding in found.findings if finding.models)
    assert found.by_models[8].auc == strongest.auc
    first = references["model"] < 4
    fewer = audited(read, registry, (target, rows_of(references, first)))
    assert found.by_models[4].scores.tolist() == of(fewer, strongest.attack).scores.tolist()
    judged = fewer.not_judged
    assert [line[:3] for line in models_table(found)] == [
        ["4", str(30 - judged["forgotten"].total), str(90 - judged["unseen"].total)],
        ["8", "30", "90"],
    ]
    verdict = judge(found)
    assert any(f"Of 100 pairs {strongest.attack} ranks the deleted" in sentence for sentence in verdict.sentences)
    assert models_note(found) in html(found, verdict)
    data: Any = to_dict(found, verdict)
    assert [(one["models"], one["auc"]["value"]) for one in data["by_models"]] == [
        (n, finding.auc.value) for n, finding in found.by_models.items()
    ]


@pytest.mark.parametrize(
    ("models", "fewer"), [(4, []), (5, [4]), (8, [4]), (64, [4, 8, 16, 32]), (70, [4, 8, 16, 32, 64])]
)
def test_the_numbers_of_models_that_are_tried_double(models: int, fewer: list[int]) -> None:
    assert doublings(models) == fewer
