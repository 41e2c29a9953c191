"""Every metric on a game small enough to count by hand, against direct computation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.builtin.metrics.advantage import NO_THRESHOLD, Advantage
from unlearnbench.builtin.metrics.auc import Auc
from unlearnbench.builtin.metrics.deg_count import DegCount
from unlearnbench.builtin.metrics.deg_rate import DegRate
from unlearnbench.builtin.metrics.degradation import NO_PROBABILITIES
from unlearnbench.builtin.metrics.epsilon import Epsilon
from unlearnbench.builtin.metrics.identical_posteriors import IdenticalPosteriors
from unlearnbench.builtin.metrics.precision_at_prior import PrecisionAtPrior
from unlearnbench.builtin.metrics.tpr_at_fpr import TprAtFpr
from unlearnbench.builtin.metrics.utility import SAME_RECORDS
from unlearnbench.builtin.metrics.utility import Utility as UtilityMetric
from unlearnbench.core.errors import UserError
from unlearnbench.core.metrics import Metric, ReleasedUtility, ScoredCell, Utility
from unlearnbench.core.scenarios import Role
from unlearnbench.hooks.parameters import build
from unlearnbench.hooks.registry import Registry

ORIGINALS, REQUESTS = 6, 4
ROLES = (Role.FORGOTTEN, *[Role.UNSEEN] * 5, *[Role.MATCHED] * 2, *[Role.RETAINED] * 3)
POSITIONS = (0, *range(5), *range(2), *range(3))


def game(seed: int = 0) -> ScoredCell:
    """A game of 6 originals with 4 requests each; scores lie in (0, 1) and are higher for deleted records."""
    rng = np.random.default_rng(seed)
    role = np.tile(np.array(ROLES, dtype=np.int8), ORIGINALS * REQUESTS)
    n = len(role)
    deleted = role == Role.FORGOTTEN
    m = ORIGINALS * REQUESTS
    unchanged = rng.random(n) < 0.5
    train, test, train_unlearned, test_unlearned, to_train, to_unlearn = (rng.random(m) for _ in range(6))
    return ScoredCell(
        scores=np.round(0.7 * rng.random(n) + 0.3 * deleted, 2),
        baseline=np.round(0.9 * rng.random(n) + 0.1 * deleted, 2),
        role=role,
        position=np.tile(np.array(POSITIONS), m),
        episode=np.repeat(np.arange(ORIGINALS), n // ORIGINALS),
        request=np.tile(np.repeat(np.arange(REQUESTS), len(ROLES)), ORIGINALS),
        record=np.arange(n),
        label=np.zeros(n, dtype=np.int64),
        unchanged=unchanged,
        positive=Role.FORGOTTEN,
        negative=Role.UNSEEN,
        shadow_scores=np.round(0.8 * rng.random(40) + 0.2 * (np.arange(40) % 2 == 1), 2),
        shadow_deleted=np.arange(40) % 2 == 1,
        shadow_fold=np.arange(40) // 2 % 5,
        folds=np.round(0.7 * rng.random((5, n)) + 0.3 * deleted, 2).astype(np.float32),
        baseline_folds=np.round(0.9 * rng.random((5, n)) + 0.1 * deleted, 2).astype(np.float32),
        probabilistic=True,
        baseline_probabilistic=True,
        utility=Utility(
            episode=np.repeat(np.arange(ORIGINALS), REQUESTS),
            train_accuracy_original=train,
            test_accuracy_original=test,
            train_accuracy_unlearned=train_unlearned,
            test_accuracy_unlearned=test_unlearned,
            forget_accuracy_original=train,
            forget_accuracy_unlearned=test_unlearned,
            seconds_to_train=to_train,
            seconds_to_unlearn=to_unlearn,
            passes=to_unlearn,
            collapsed=test < 0.2,
            unmoved=test > 0.8,
            epsilon=np.full(m, np.inf),
            relearned=np.round(9 * test),
            memory_to_unlearn=1e8 * to_unlearn,
        ),
        released=ReleasedUtility(np.repeat(np.arange(ORIGINALS), REQUESTS), *rng.random((3, m))),
        divergence=np.empty((2, 0)),
    )


@pytest.fixture
def scored() -> ScoredCell:
    return game()


def of(scored: ScoredCell, values: NDArray[np.float64], role: Role) -> NDArray[np.float64]:
    return np.asarray(values[scored.role == role])


def share_below(positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> float:
    """The AUC by counting all pairs."""
    gap = positives[:, None] - negatives[None]
    return float(((gap > 0) + 0.5 * (gap == 0)).mean())


@pytest.mark.parametrize(
    ("name", "role"), [("auc", Role.UNSEEN), ("auc-matched", Role.MATCHED), ("auc-retained", Role.RETAINED)]
)
def test_auc_is_the_share_of_pairs_in_order_against_each_kind_of_negatives(
    scored: ScoredCell, name: str, role: Role
) -> None:
    estimate = Auc().measure(scored)[name]
    positives, negatives = of(scored, scored.scores, Role.FORGOTTEN), of(scored, scored.scores, role)
    assert estimate.value == pytest.approx(share_below(positives, negatives))
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low < share_below(positives, negatives) < estimate.high
    assert estimate.n == len(positives) + len(negatives)
    assert estimate.details["clusters"] == ORIGINALS


def test_auc_carries_the_p_value_of_being_above_chance(scored: ScoredCell) -> None:
    good = Auc().measure(scored)["auc"].details["p_above_half"]
    bad = Auc().measure(replace(scored, scores=-scored.scores))["auc"].details["p_above_half"]
    assert good < 0.05
    assert bad == pytest.approx(1 - good)


def test_auc_against_retained_records_carries_its_p_value_too(scored: ScoredCell) -> None:
    kept = replace(scored, role=np.where(scored.role == Role.RETAINED, Role.UNSEEN, Role.RETAINED * (scored.role > 0)))
    found = Auc().measure(scored)["auc-retained"].details["p_above_retained"]
    assert found == Auc().measure(kept)["auc"].details["p_above_half"]
    assert "p_above_half" not in Auc().measure(scored)["auc-retained"].details


def test_auc_is_not_defined_without_negatives(scored: ScoredCell) -> None:
    without = scored.take(scored.role != Role.MATCHED)
    estimates = Auc().measure(without)
    assert estimates["auc-matched"].status == "undefined"
    assert estimates["auc-matched"].reason
    assert estimates["auc"] == Auc().measure(scored)["auc"]


def test_the_scenario_says_who_the_negatives_are(scored: ScoredCell) -> None:
    against_retained = Auc().measure(replace(scored, negative=Role.RETAINED))
    assert against_retained["auc"].value == Auc().measure(scored)["auc-retained"].value


def test_tpr_is_the_largest_one_within_the_false_positive_rate(scored: ScoredCell) -> None:
    estimates = TprAtFpr(fprs=(0.1, 0.2)).measure(scored)
    assert list(estimates) == ["tpr-at-fpr-0.1", "tpr-at-fpr-0.2"]
    positives, negatives = of(scored, scored.scores, Role.FORGOTTEN), of(scored, scored.scores, Role.UNSEEN)
    for fpr in (0.1, 0.2):
        allowed = [t for t in scored.scores if (negatives > t).mean() <= fpr]
        estimate = estimates[f"tpr-at-fpr-{fpr:g}"]
        assert estimate.value == max((positives > t).mean() for t in allowed)
        assert estimate.details["realized_fpr"] <= fpr


def test_tpr_needs_enough_distinct_negatives_and_says_how_many(scored: ScoredCell) -> None:
    estimates = TprAtFpr().measure(scored)
    assert list(estimates) == ["tpr-at-fpr-0.01", "tpr-at-fpr-0.001"]
    assert estimates["tpr-at-fpr-0.01"].reason == "n/a: needs N- >= 10/fpr = 1000 distinct non-members, has 120"
    shared = replace(scored, record=scored.record % 13)
    assert "has 13" in TprAtFpr(fprs=(0.2,)).measure(shared)["tpr-at-fpr-0.2"].reason


def threshold(scored: ScoredCell) -> float:
    """The best threshold on shadow scores, by trying all halfway between two of them."""
    own, others = scored.shadow_scores[scored.shadow_deleted], scored.shadow_scores[~scored.shadow_deleted]
    distinct = np.unique(scored.shadow_scores)
    halfway = (distinct[:-1] + distinct[1:]) / 2
    return float(max(halfway, key=lambda t: ((own > t).mean() - (others > t).mean(), t)))


def test_advantage_is_taken_at_the_threshold_that_is_best_on_shadow_scores(scored: ScoredCell) -> None:
    t = threshold(scored)
    tpr, fpr = ((of(scored, scored.scores, role) > t).mean() for role in (Role.FORGOTTEN, Role.UNSEEN))
    (estimate,) = Advantage().measure(scored).values()
    assert estimate.value == pytest.approx(tpr - fpr)
    assert (estimate.details["tpr"], estimate.details["fpr"]) == pytest.approx((tpr, fpr))


def test_target_scores_have_no_part_in_the_threshold(scored: ScoredCell) -> None:
    moved = replace(scored, scores=scored.scores + 5)  # above every shadow score: all are predicted positive
    assert Advantage().measure(moved)["advantage"].value == 0


@pytest.mark.parametrize("prior", [0.5, 0.1, 0.01])
def test_precision_is_bayes_rule_at_that_threshold(scored: ScoredCell, prior: float) -> None:
    t = threshold(scored)
    tpr, fpr = ((of(scored, scored.scores, role) > t).mean() for role in (Role.FORGOTTEN, Role.UNSEEN))
    estimate = PrecisionAtPrior().measure(scored)[f"precision-at-prior-{prior:g}"]
    assert estimate.value == pytest.approx(prior * tpr / (prior * tpr + (1 - prior) * fpr))


def test_without_two_shadow_originals_there_is_no_threshold(scored: ScoredCell) -> None:
    none = replace(scored, shadow_scores=np.empty(0), shadow_deleted=np.empty(0, dtype=np.bool_))
    assert Advantage().measure(none)["advantage"].reason == NO_THRESHOLD
    estimates = PrecisionAtPrior().measure(none)
    assert list(estimates) == [f"precision-at-prior-{prior}" for prior in (0.5, 0.1, 0.01)]
    assert {estimate.reason for estimate in estimates.values()} == {NO_THRESHOLD}


def paired(scored: ScoredCell) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Confidence in the true status of attack and baseline, on forgotten records and the first negative of each."""
    positive = scored.role == Role.FORGOTTEN
    chosen = positive | ((scored.role == Role.UNSEEN) & (scored.position == 0))
    attack, classical = (np.where(positive, v, 1 - v)[chosen] for v in (scored.scores, scored.baseline))
    return attack, classical


def test_deg_count_and_deg_rate_compare_confidence_in_the_true_status(scored: ScoredCell) -> None:
    attack, classical = paired(scored)
    assert len(attack) == 2 * ORIGINALS * REQUESTS
    count, rate = DegCount().measure(scored)["deg-count"], DegRate().measure(scored)["deg-rate"]
    assert count.value == pytest.approx((attack > classical).mean())
    assert rate.value == pytest.approx((attack - classical).mean())
    assert count.details["tie_rate"] == pytest.approx((attack == classical).mean())


def test_the_counterparts_on_ranks_depend_on_ranks_only(scored: ScoredCell) -> None:
    extreme = replace(scored, scores=scored.scores**3, baseline=np.sqrt(scored.baseline))
    for metric, name in ((DegCount(), "rank-deg-count"), (DegRate(), "rank-deg-rate")):
        assert metric.measure(extreme)[name] == metric.measure(scored)[name]
    half = 0.5 * (share_below(*balanced(scored, scored.scores)) - share_below(*balanced(scored, scored.baseline)))
    assert DegRate().measure(scored)["rank-deg-rate"].value == pytest.approx(half)


def balanced(scored: ScoredCell, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first = (scored.role == Role.UNSEEN) & (scored.position == 0)
    return of(scored, values, Role.FORGOTTEN), values[first]


@pytest.mark.parametrize("side", ["probabilistic", "baseline_probabilistic"])
def test_without_probabilities_only_the_counterparts_on_ranks_are_defined(scored: ScoredCell, side: str) -> None:
    changes: dict[str, Any] = {side: False}
    without = replace(scored, **changes)
    estimates = {**DegCount().measure(without), **DegRate().measure(without)}
    assert estimates["deg-count"].reason == estimates["deg-rate"].reason == NO_PROBABILITIES
    assert estimates["rank-deg-count"].value is not None
    assert estimates["rank-deg-rate"].value is not None


def test_identical_posteriors_are_the_share_of_unchanged_rows_of_forgotten_and_unseen(scored: ScoredCell) -> None:
    estimates = IdenticalPosteriors().measure(scored)
    for name, role in (("identical-forgotten", Role.FORGOTTEN), ("identical-unseen", Role.UNSEEN)):
        share = scored.unchanged[scored.role == role].mean()
        assert 0 < share < 1
        assert estimates[name].value == pytest.approx(share)


def test_utility_is_the_mean_over_originals_and_requests(scored: ScoredCell) -> None:
    estimates, known = UtilityMetric().measure(scored), scored.utility
    assert estimates["train-accuracy-original"].value == pytest.approx(known.train_accuracy_original.mean())
    assert estimates["test-accuracy-unlearned"].value == pytest.approx(known.test_accuracy_unlearned.mean())
    gap = known.train_accuracy_original - known.test_accuracy_original
    assert estimates["overfitting"].value == pytest.approx(gap.mean())
    assert estimates["seconds-to-unlearn"].value == pytest.approx(known.seconds_to_unlearn.mean())
    assert estimates["overfitting"].details["clusters"] == ORIGINALS


def metrics(registry: Registry) -> list[Metric]:
    made = [build(found, {}) for found in registry.all("metric")]
    return [metric for metric in made if isinstance(metric, Metric)]


def test_no_metric_reads_the_scores_of_rows_outside_its_game(scored: ScoredCell, registry: Registry) -> None:
    """Scores of retained records bear on auc-retained and on metrics of three roles, of matched ones on auc-matched."""
    three = {"auc-forgotten-rest", "auc-retained-rest", "auc-rest-unseen"}
    for role, names in ((Role.RETAINED, {"auc-retained", *three}), (Role.MATCHED, {"auc-matched"})):
        moved = np.where(scored.role == role, 9.0, scored.scores)
        for metric in metrics(registry):
            old, new = metric.measure(scored), metric.measure(replace(scored, scores=moved))
            assert {key for key in old if old[key] != new[key]} <= names


def test_metrics_share_no_name(scored: ScoredCell, registry: Registry) -> None:
    names = [name for metric in metrics(registry) for name in metric.measure(scored)]
    assert len(names) == len(set(names))


def test_a_constant_score_is_degenerate_or_undefined_and_never_a_number_with_an_interval(
    scored: ScoredCell, registry: Registry
) -> None:
    constant = replace(scored, scores=np.full_like(scored.scores, 0.5), shadow_scores=np.full(40, 0.5))
    estimates = {
        name: estimate
        for metric in metrics(registry)
        for name, estimate in metric.measure(constant).items()
        if name.startswith(("auc", "tpr", "advantage", "precision"))
    }
    assert {estimate.status for estimate in estimates.values()} == {"degenerate", "undefined"}
    assert estimates["auc"].value == 0.5
    assert estimates["advantage"].value == 0
    assert estimates["auc"].details["p_above_half"] == 1


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("tpr-at-fpr", {"fprs": [0.0]}),
        ("tpr-at-fpr", {"fprs": [1.0]}),
        ("tpr-at-fpr", {"fprs": 0.1}),
        ("precision-at-prior", {"priors": [1.5]}),
        ("auc", {"level": 0.9}),
    ],
)
def test_wrong_parameters_are_refused(registry: Registry, name: str, params: dict[str, object]) -> None:
    with pytest.raises(UserError, match=f'metric "{name}"'):
        build(registry.get("metric", name), params)


def test_the_utility_of_what_is_released_is_averaged_over_originals_without_an_interval(scored: ScoredCell) -> None:
    measured, released = UtilityMetric().measure(scored), scored.released
    for name, values in (
        ("released-test-accuracy", released.accuracy),
        ("released-log-loss", released.log_loss),
        ("released-calibration-error", released.calibration_error),
    ):
        estimate = measured[name]
        assert estimate.value == pytest.approx(values.reshape(ORIGINALS, REQUESTS).mean())
        assert (estimate.low, estimate.high, estimate.reason) == (None, None, SAME_RECORDS)


def test_without_unseen_records_the_utility_of_what_is_released_is_undefined(scored: ScoredCell) -> None:
    none = ReleasedUtility(np.empty(0, dtype=np.int64), *np.empty((3, 0)))
    estimate = UtilityMetric().measure(replace(scored, released=none))["released-log-loss"]
    assert (estimate.value, estimate.reason) == (None, "a request queries no unseen record that is no canary")


def test_epsilon_is_averaged_over_originals(scored: ScoredCell) -> None:
    epsilon = np.where(scored.utility.episode == 0, 2.0, 1.0)
    private = replace(scored, utility=replace(scored.utility, epsilon=epsilon))
    assert Epsilon().measure(private)["epsilon"].value == pytest.approx(epsilon.mean())


def test_epsilon_is_undefined_without_differential_privacy(scored: ScoredCell) -> None:
    estimate = Epsilon().measure(scored)["epsilon"]
    assert (estimate.value, estimate.reason) == (None, "trained without differential privacy")
