from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from tests.stats.whole import numbers
from unlearnbench.audit.answers import read_answers
from unlearnbench.audit.findings import AttackFinding
from unlearnbench.audit.leak import Audit, audit
from unlearnbench.core.errors import UserError
from unlearnbench.hooks.registry import Registry, load_registry
from unlearnbench.stats import MIN_CLUSTERS, auc, auc_above_half, clustered_auc

Arrays = dict[str, Any]
Make = Callable[..., Arrays]
Save = Callable[..., Path]

BY_FORMULA = {"score-diff", "score-ratio", "delta", "gap", "forgetting", "random"}

FAILING = """
from unlearnbench import Attack, AttackPlugin, ScoreAttack, hookimpl

class Fails(ScoreAttack):
    def score(self, view):
        raise RuntimeError("no score today")

class Asks(ScoreAttack):
    def __init__(self, what: int) -> None:
        self.what = what

    def score(self, view):
        return view.before[:, 0]

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="fails", summary="Fails.", factory=Fails)
    yield AttackPlugin(name="asks", summary="Needs a parameter.", factory=Asks)
"""


@pytest.fixture
def audited(npz: Save, registry: Registry) -> Callable[..., Audit]:
    def audited(target: Arrays, shadow: Arrays | None = None, registry: Registry = registry) -> Audit:
        other = read_answers(npz(shadow, "shadow.npz")) if shadow else None
        return audit(read_answers(npz(target)), other, registry)

    return audited


Audited = Callable[..., Audit]


def of(found: Audit, name: str) -> AttackFinding:
    return next(finding for finding in found.findings if finding.attack == name)


def test_the_auc_is_that_of_the_raw_score(arrays: Make, audited: Audited) -> None:
    given = arrays(leak=0.5)
    rows = np.arange(150)
    before, after = (np.log(given[name][rows, given["label"]]) for name in ("before", "after"))
    chosen = given["role"] != "retained"
    found = of(audited(given), "score-diff")
    assert np.allclose(found.scores, before - after)
    assert found.auc.value == pytest.approx(auc((before - after)[chosen], given["role"][chosen] == "forgotten"))
    kept = given["role"] != "unseen"
    assert found.auc_retained.value == pytest.approx(auc((before - after)[kept], given["role"][kept] == "forgotten"))


def test_the_share_found_is_that_of_the_raw_score(arrays: Make, audited: Audited) -> None:
    found = of(audited(arrays(leak=0.5)), "score-diff")
    forgotten, unseen = found.scores[:20], np.sort(found.scores[20:140])
    assert found.tpr[0.1].value == (forgotten > unseen[-13]).mean()  # 12 of 120 stand above the thirteenth
    assert found.tpr[0.01].reason.startswith("n/a: needs N- >= 10/fpr = 1000")


@pytest.mark.slow
def test_models_that_do_not_leak_give_intervals_that_hold_one_half(arrays: Make, audited: Audited) -> None:
    found = [of(audited(arrays(seed=seed)), "score-diff") for seed in range(60)]
    held = [finding.auc.low <= 0.5 <= finding.auc.high for finding in found if finding.auc.low and finding.auc.high]
    assert len(held) == 60
    assert sum(held) >= 52  # 57 are expected; fewer than 52 happen to one run in 200
    assert sum(finding.p < 0.05 for finding in found) == 60 - sum(held)


def test_a_leak_is_found(arrays: Make, audited: Audited) -> None:
    (first, *_) = audited(arrays(leak=1.0)).findings
    assert first.compares
    assert first.auc.low is not None
    assert first.auc.low > 0.8
    assert first.adjusted_p is not None
    assert first.adjusted_p < 1e-6


def test_a_score_that_never_errs_is_a_leak_without_an_interval(arrays: Make, audited: Audited) -> None:
    (first, *_) = audited(arrays(leak=9.0)).findings
    assert (first.auc.value, first.auc.low, first.adjusted_p) == (1, None, 0)


def test_attacks_that_learn_wait_for_shadow_data(arrays: Make, audited: Audited, registry: Registry) -> None:
    alone, helped = audited(arrays(leak=2.0)), audited(arrays(leak=2.0), arrays(leak=2.0, seed=1))
    assert {finding.attack for finding in alone.findings} == BY_FORMULA
    assert alone.left_out["sorted-diff"] == "learns from shadow models; give their answers as shadow data"
    assert helped.left_out["blind"] == "reads the records themselves, which are not in the file"
    assert helped.left_out["u-lira"] == "needs the answers of reference models; give them as references"
    assert helped.left_out["population"] == "needs answers about a population; give rows of the role population"
    wanted = "needs answers about noisy copies of records, which are not in the file"
    assert helped.left_out["augmentation"] == wanted
    wanted = "needs distances to the decision boundary, which are not in the file"
    assert helped.left_out["boundary"] == wanted
    known = {entry.name for entry in registry.all("attack")} - {"oracle-label"}
    assert {finding.attack for finding in helped.findings} | helped.left_out.keys() == known
    assert (of(helped, "direct-diff").auc.value or 0) > 0.6


def test_an_attack_that_learns_from_retained_records_needs_them_in_the_shadow_data(
    arrays: Make, audited: Audited
) -> None:
    target = arrays(leak=2.0)
    found, without = (audited(target, arrays(leak=2.0, seed=1, retained=n)) for n in (40, 0))
    assert (of(found, "tri-class").auc.value or 0) > 0.6
    assert without.left_out["tri-class"] == "learns from retained records too, of which the shadow data has none"


def test_without_labels_attacks_that_need_them_are_left_out(arrays: Make, audited: Audited) -> None:
    target, shadow = arrays(leak=2.0), arrays(leak=2.0, seed=1)
    del target["label"]
    found = audited(target, shadow)
    assert found.left_out["score-diff"] == "needs the column label"
    assert "sorted-diff" in {finding.attack for finding in found.findings}


def test_a_file_that_allows_no_attack_on_the_deletion_is_refused(arrays: Make, audited: Audited) -> None:
    given = arrays()
    del given["label"]
    with pytest.raises(UserError, match=r"answers\.npz: allows no attack that compares both models; give labels, or"):
        audited(given)


def test_shadow_data_of_other_classes_are_refused(arrays: Make, audited: Audited) -> None:
    with pytest.raises(UserError, match=r"shadow\.npz: has 4 classes, .*answers\.npz has 3; they must be the same"):
        audited(arrays(), arrays(classes=4))


def test_the_target_is_not_its_own_shadow(arrays: Make, audited: Audited) -> None:
    with pytest.raises(UserError, match=r"shadow\.npz: holds the answers of .*answers\.npz; give those of"):
        audited(arrays(), arrays())


def test_attacks_that_fail_are_told_with_the_reason(arrays: Make, audited: Audited, tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(FAILING)
    found = audited(arrays(), registry=load_registry([tmp_path / "failing.py"], discover=False))
    assert found.left_out["fails"] == "failed: RuntimeError: no score today"
    assert "what" in found.left_out["asks"]


BY_PLACE = """
import numpy as np
from unlearnbench import AttackPlugin, Needs, ScoreAttack, hookimpl

class ByPlace(ScoreAttack):
    needs = Needs(versions="none")

    def score(self, view):
        return -np.arange(len(view))

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="by-place", summary="The first rows.", factory=ByPlace)
"""


def test_an_attack_that_scores_by_place_is_left_out(arrays: Make, audited: Audited, tmp_path: Path) -> None:
    (tmp_path / "by_place.py").write_text(BY_PLACE)
    found = audited(
        arrays(forgotten=100, unseen=400), registry=load_registry([tmp_path / "by_place.py"], discover=False)
    )
    assert "a score must follow to the bit from its row" in found.left_out["by-place"]


def test_roles_in_the_file_change_no_score(arrays: Make, audited: Audited) -> None:
    given, shadow = arrays(leak=1.0), arrays(leak=1.0, seed=1)
    mixed = given | {"role": np.random.default_rng(0).permutation(given["role"])}
    honest, other = audited(given, shadow).findings, audited(mixed, shadow).findings
    scores = {finding.attack: finding.scores for finding in other}
    assert len(honest) == len(scores)
    for finding in honest:
        assert np.array_equal(finding.scores, scores[finding.attack]), finding.attack


def test_order_and_p_are_of_attacks_that_compare_both_models(arrays: Make, audited: Audited) -> None:
    found = audited(arrays(leak=0.4), arrays(leak=0.4, seed=1))
    comparing = [finding for finding in found.findings if finding.compares]
    assert list(found.findings[: len(comparing)]) == comparing
    assert found.findings[-1].attack == "random"
    assert [finding.auc.value for finding in comparing] == sorted((f.auc.value or 0 for f in comparing), reverse=True)
    for finding in found.findings:
        assert (finding.adjusted_p is not None) == finding.compares
        assert (finding.adjusted_p or 1) >= finding.p


def test_a_score_that_falls_is_as_unlikely_as_one_that_rises(arrays: Make, audited: Audited) -> None:
    found = of(audited(arrays(leak=-2.0)), "score-diff")
    assert (found.auc.value or 1) < 0.1
    assert found.p < 1e-6


def test_fewer_than_five_requests_have_no_interval(arrays: Make, audited: Audited) -> None:
    found = of(audited(arrays(forgotten=MIN_CLUSTERS - 1, leak=1.0)), "score-diff")
    assert (found.auc.status, found.auc.low, found.p) == ("no-interval", None, 1.0)


def test_five_originals_are_what_intervals_are_clustered_by(arrays: Make, audited: Audited) -> None:
    original = np.arange(150) % 5
    found = of(audited({**arrays(leak=0.5), "original": original}), "score-diff")
    rows = np.arange(140)
    expected = clustered_auc(found.scores[rows], rows < 20, original[rows], record=rows)
    assert (found.auc.low, found.auc.high) == (expected.low, expected.high)


def test_the_order_of_rows_changes_nothing(arrays: Make, audited: Audited) -> None:
    given = arrays(leak=0.5)
    order = np.random.default_rng(5).permutation(150)
    turned = {name: values[order] for name, values in given.items()}
    one, other = of(audited(given), "score-diff"), of(audited(turned), "score-diff")
    assert other.auc.value == one.auc.value
    assert other.auc.low == pytest.approx(one.auc.low)
    assert np.array_equal(one.scores[order], other.scores)


def _one_pair(sizes: list[int], shift: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw scores whose forgotten rows share the level of their request; unseen ones stand by themselves."""
    request = np.repeat(np.arange(len(sizes)), sizes)
    found = shift + rng.normal(size=len(sizes))[request] + rng.normal(size=len(request))
    cluster = np.concatenate([request, len(sizes) + np.arange(200)])
    return (
        np.concatenate([found, np.sqrt(2) * rng.normal(size=200)]),
        np.arange(len(cluster)) < len(request),
        cluster,
    )


UNLIKE = {"evenly": [1, 3, 5, 8, 12, 17, 22, 28, 34, 40], "three large": [40, 40, 40, 4, 4, 4, 4, 4, 4, 4]}


@pytest.mark.parametrize("sizes", UNLIKE.values(), ids=UNLIKE.keys())
def test_intervals_and_verdicts_hold_for_requests_of_1_to_40_records(sizes: list[int]) -> None:
    rng, repeats = np.random.default_rng(2), 600
    intervals = [numbers(clustered_auc(*_one_pair(sizes, 1.0, rng))) for _ in range(repeats)]
    covered = np.mean([low <= norm.cdf(1 / 2) <= high for low, _, high in intervals])
    assert 0.93 <= covered <= 0.99
    p = np.array([auc_above_half(*_one_pair(sizes, 0.0, rng)) for _ in range(repeats)])
    assert np.mean(2 * np.minimum(p, 1 - p) <= 0.05) <= 0.07


@pytest.mark.parametrize(("forgotten", "per_request", "shift"), [(10, 1, 1.0), (10, 3, 0.7), (50, 1, 0.5)])
def test_intervals_over_requests_cover(forgotten: int, per_request: int, shift: float) -> None:
    """Of one pair of models: forgotten rows cluster by request, unseen ones stand by themselves."""
    rng, hits, repeats = np.random.default_rng(1), 0, 400
    request = np.repeat(np.arange(forgotten), per_request)
    cluster = np.concatenate([request, forgotten + np.arange(200)])
    positive = np.arange(len(cluster)) < len(request)
    for _ in range(repeats):
        found = shift + 0.6 * rng.normal(size=forgotten)[request] + 0.8 * rng.normal(size=len(request))
        estimate = clustered_auc(np.concatenate([found, rng.normal(size=200)]), positive, cluster)
        hits += estimate.low is None or estimate.low <= norm.cdf(shift / np.sqrt(2)) <= (estimate.high or 1)
    assert 0.92 <= hits / repeats <= 0.985
