"""Answers of reference models about the records of an audit: what is read, what is refused, and what they show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.audit.conftest import softmax
from unlearnbench.audit.answers import Answers, read_answers
from unlearnbench.audit.leak import Audit, audit
from unlearnbench.audit.references import read_references
from unlearnbench.audit.verdict import judge
from unlearnbench.core.errors import UserError
from unlearnbench.core.posteriors import log_odds, log_of
from unlearnbench.hooks.registry import Registry

Arrays = dict[str, Any]
Save = Callable[..., Path]

MODELS = 8


def case(seed: int = 0, kept: float = 0.0, records: int = 120) -> tuple[Arrays, Arrays]:
    """Answers of a target and of reference models; unlearning keeps this part of what training adds to the logit."""
    rng = np.random.default_rng(seed)
    label = rng.integers(3, size=records)
    level = 2 * rng.normal(size=(records, 1, 3))
    member = np.argsort(rng.random((records, MODELS + 1)), axis=1) < MODELS // 2
    member[:, -1] = np.arange(records) < records // 4
    logits = level + 0.3 * rng.normal(size=(records, MODELS + 1, 3))
    before, after = logits.copy(), logits + 0.1 * rng.normal(size=logits.shape)
    row = np.arange(records)
    before[row, :, label] += 1.5 * member
    after[row, :, label] += 1.5 * kept * member
    record = np.array([f"r{number}" for number in rng.permutation(records)])
    target = {
        "role": np.where(member[:, -1], "forgotten", "unseen"),
        "label": label,
        "record": record,
        "before": softmax(before[:, -1].reshape(-1, 3)),
        "after": softmax(after[:, -1].reshape(-1, 3)),
    }
    shape = records * MODELS
    references = {
        "record": np.repeat(record, MODELS),
        "model": np.tile(np.arange(MODELS), records),
        "member": np.where(member[:, :-1].reshape(shape), "in", "out"),
        "before": softmax(before[:, :-1].reshape(shape, 3)),
        "after": softmax(after[:, :-1].reshape(shape, 3)),
    }
    return target, references


@pytest.fixture
def read(npz: Save) -> Callable[[Arrays, Arrays], tuple[Answers, Any]]:
    def read(target: Arrays, references: Arrays) -> tuple[Answers, Any]:
        answers = read_answers(npz(target))
        return answers, read_references(npz(references, "references.npz"), answers)

    return read


Read = Callable[[Arrays, Arrays], tuple[Answers, Any]]


def audited(read: Read, registry: Registry, **how: Any) -> Audit:
    answers, references = read(*case(**how))
    return audit(answers, None, registry, references)


def test_each_model_answers_about_the_records_in_the_order_of_the_target(read: Read) -> None:
    target, references = case()
    order = np.random.default_rng(1).permutation(len(references["model"]))
    answers, found = read(target, {name: values[order] for name, values in references.items()})
    assert found.count == MODELS
    models = references["model"][order]
    names = list(dict.fromkeys(models.tolist()))
    ids = dict(zip(answers.rows.record.tolist(), target["record"], strict=True))
    for rows, name in zip(found.models, names, strict=True):
        assert rows.record.tolist() == sorted(ids)
        for code, before, after, own in zip(rows.record, rows.before, rows.after[:, 0], rows.member[:, 0], strict=True):
            (place,) = np.flatnonzero((references["record"] == ids[code]) & (references["model"] == name))
            assert np.exp(before) == pytest.approx(references["before"][place])
            assert np.exp(after) == pytest.approx(references["after"][place])
            assert own == (references["member"][place] == "in")


def test_u_lira_has_the_value_of_a_plain_loop(read: Read, registry: Registry) -> None:
    target, references = case(kept=0.6)
    found = audited(read, registry, kept=0.6)
    (finding,) = (one for one in found.findings if one.attack == "u-lira")
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
        (finding,) = (one for one in audited(read, registry, kept=kept).findings if one.attack == "u-lira")
        return float(finding.auc.value or 0)

    assert auc(1.0) > 0.85
    assert auc(0.0) == pytest.approx(0.5, abs=0.15)


def test_all_attacks_on_single_records_are_tried_with_all_models(read: Read, registry: Registry) -> None:
    found = audited(read, registry)
    tried = {finding.attack for finding in found.findings}
    assert {"u-lira", "u-lira-pair", "lira", "lira-offline", "ruli", "update-lira", "iam"} <= tried
    assert "population" in found.left_out["rmia"]
    assert any("8 reference models judge single records" in sentence for sentence in judge(found).sentences)


def test_without_them_it_says_what_is_needed(npz: Save, registry: Registry) -> None:
    found = audit(read_answers(npz(case()[0])), None, registry)
    assert found.left_out["u-lira"] == "needs the answers of reference models; give them as references"


def test_answers_about_other_records_are_passed_over(read: Read) -> None:
    target, references = case()
    fewer = {name: values[:100] for name, values in target.items()}
    assert len(read(fewer, references)[1].models[0]) == 100


def changed(name: str, row: int, value: Any) -> Callable[[Arrays, Arrays], None]:
    def change(_: Arrays, references: Arrays) -> None:
        references[name] = references[name].astype(object if isinstance(value, str) else None)
        references[name][row] = value
        references[name] = references[name].astype(str) if isinstance(value, str) else references[name]

    return change


def without(side: int, name: str) -> Callable[[Arrays, Arrays], None]:
    return lambda *both: both[side].pop(name)


def first_only(_: Arrays, references: Arrays) -> None:
    for name in references:
        references[name] = references[name][1:]


def all_out(_: Arrays, references: Arrays) -> None:
    references["member"][:7] = "out"


def two_classes(_: Arrays, references: Arrays) -> None:
    for name in ("before", "after"):
        references[name] = np.tile([0.5, 0.5], (len(references[name]), 1))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (changed("member", 3, "maybe"), "row 3: member 'maybe' must be in, if the model was trained on the record, or"),
        (changed("model", 1, 0), "row 1: model '0' answers about record"),
        (first_only, "model '0' does not answer about record"),
        (all_out, "models; at least 2 must be trained on it and 2 not"),
        (without(1, "member"), "lacks member"),
        (without(0, "label"), "needs the columns record and label in answers.npz"),
        (without(0, "record"), "needs the columns record and label in answers.npz"),
        (two_classes, "has 2 classes, answers.npz has 3"),
        (changed("after", 5, 9.0), "row 5: after sum to 27"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(change: Callable[[Arrays, Arrays], None], told: str, read: Read) -> None:
    both = case()
    change(*both)
    with pytest.raises(UserError) as caught:
        read(*both)
    assert told in str(caught.value)
    assert "references.npz" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_column_is_refused(read: Read) -> None:
    target, references = case()
    with pytest.raises(UserError, match="has 'models', which is not a known column; did you mean"):
        read(target, {**references, "models": references["model"]})
