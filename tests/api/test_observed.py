from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from unlearnbench import (
    Attack,
    EpisodeSizes,
    Needs,
    Observed,
    Provenance,
    Records,
    Role,
    ScoreAttack,
    SklearnModel,
    UserError,
    View,
    load_registry,
    observe,
)
from unlearnbench.builtin.attacks.sorted_diff import SortedDiff
from unlearnbench.core.observations import UndeclaredNeedError
from unlearnbench.hooks.parameters import build
from unlearnbench.hooks.records import AttackPlugin
from unlearnbench.hooks.registry import Registered, Registry
from unlearnbench.stats import auc


def needs(found: Registered) -> Needs:
    attack = build(found, {})
    assert isinstance(attack, Attack)
    return attack.needs


def offered(found: Registered) -> bool:
    """Return whether all that an attack reads is there without a suite."""
    return not (needs(found).target_only or needs(found).copies or needs(found).boundary)


ATTACKS = [
    found.name
    for found in load_registry(discover=False).all("attack")
    if isinstance(found.plugin, AttackPlugin) and not found.plugin.knows_truth and offered(found)
]
SIZES = EpisodeSizes(originals=5, requests=3, records=60, negatives=8, matched=1, retained=2)


class Nearest(SklearnModel):
    """A model of one's own: it remembers every record, and so forgets one visibly."""

    def estimator(self, seed: int) -> object:
        return KNeighborsClassifier(3)


class Moved(ScoreAttack):
    def score(self, view: View) -> NDArray[np.float64]:
        return np.asarray(np.abs(np.exp(view.before) - np.exp(view.after)).max(axis=1))


class Reads(ScoreAttack):
    needs: ClassVar[Needs] = Needs(versions="none", features=True)

    def score(self, view: View) -> NDArray[np.float64]:
        return np.asarray(view.features[:, 0])


def own_records() -> Records:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    return Records("own", x, (x[:, 0] + rng.normal(size=300) > 0).astype(np.int64), 2, Provenance("made", "none"))


@pytest.fixture(scope="module")
def seen() -> Observed:
    return observe(own_records(), Nearest(), sizes=SIZES)


def test_an_attack_is_tried_in_a_few_lines(seen: Observed) -> None:
    attack = SortedDiff()
    scores = attack.fit(seen.shadow(attack), np.random.default_rng(0)).score(seen.target(attack))
    found = seen.auc(scores)
    assert found.value is not None
    assert found.value > 0.6  # one of three neighbours has gone
    assert (found.status, found.n) == ("no-interval", len(scores) // 2) or found.low is not None


def test_the_auc_is_that_of_the_games_rows(seen: Observed) -> None:
    scores = Moved().score(seen.target(Moved()))
    rows = seen.rows
    chosen = np.isin(rows.role, (seen.game.positive, seen.game.negative))
    assert seen.auc(scores).value == pytest.approx(auc(scores[chosen], seen.deleted[chosen]))


def test_measured_as_a_run_does_it_the_auc_is_the_same(seen: Observed) -> None:
    measured = seen.measure(Moved())
    assert measured["auc"].value == pytest.approx(seen.auc(Moved().score(seen.target(Moved()))).value)
    assert {"auc-matched", "tpr-at-fpr-0.01", "rank-deg-rate", "test-accuracy-original"} <= measured.keys()


def test_metrics_can_be_chosen(seen: Observed) -> None:
    assert seen.measure(Moved(), ["auc"]).keys() == {"auc", "auc-matched", "auc-retained"}


@pytest.mark.parametrize("metric", ["retraining-gap", "klom"])
def test_a_metric_that_reads_other_models_takes_a_run(seen: Observed, metric: str) -> None:
    with pytest.raises(UserError, match=f"measure: {metric} reads other models than these, which takes a run"):
        seen.measure(Moved(), ["auc", metric])


def test_an_attack_sees_what_it_declares_and_no_more(seen: Observed) -> None:
    with pytest.raises(UndeclaredNeedError):
        _ = seen.target(Moved()).label
    with pytest.raises(UndeclaredNeedError):
        _ = seen.target(Reads()).before
    assert np.array_equal(seen.target(Reads()).features, own_records().x[seen.rows.record])
    assert Reads().needs == seen.target(Reads()).needs
    assert seen.target(Reads())._before.size == seen.target(Reads())._after.size == 0
    assert seen.shadow(Reads())._before.size == seen.shadow(Reads())._versions.size == 0


class ByPlace(ScoreAttack):
    """Asks no model: whoever lays rows out puts the deleted one of each request first."""

    needs: ClassVar[Needs] = Needs(versions="none")

    def score(self, view: View) -> NDArray[np.float64]:
        request = view.episode * SIZES.requests + view.request
        first = np.unique(request, return_index=True)[1]
        return np.isin(np.arange(len(view)), first).astype(float)


def test_the_place_of_a_row_tells_nothing_by_hand_or_as_a_run_does_it(seen: Observed) -> None:
    attack = ByPlace()
    found = seen.auc(attack.fit(seen.shadow(attack), np.random.default_rng(0)).score(seen.target(attack)))
    assert found.value == pytest.approx(0.5, abs=0.1)
    with pytest.raises(ValueError, match="a score must follow"):
        seen.measure(attack, ["auc"])
    laid_out = seen.game.target
    first = np.unique(laid_out.episode * SIZES.requests + laid_out.request, return_index=True)[1]
    assert set(laid_out.role[first]) == {Role.FORGOTTEN}, "in the order of the observations it would tell all"


def test_shadow_rows_are_shuffled_too(seen: Observed) -> None:
    shadow = seen.shadow(Moved())
    assert not np.array_equal(shadow.deleted, seen.game.deleted(seen.game.balanced))
    assert (np.diff(shadow.episode) < 0).any()


@pytest.mark.parametrize("name", ATTACKS)
def test_target_membership_and_roles_change_no_score(seen: Observed, registry: Registry, name: str) -> None:
    attack = build(registry.get("attack", name), {})
    assert isinstance(attack, Attack)
    rows = seen.game.target
    order = np.random.default_rng(0).permutation(len(rows))
    mixed = replace(rows, member=rows.member[order], role=rows.role[order], position=rows.position[order])
    other = Observed(replace(seen.game, target=mixed), seen.utility, seen.instances)
    honest, blindfolded = (
        attack.fit(each.shadow(attack), np.random.default_rng(0)).score(each.target(attack)) for each in (seen, other)
    )
    assert np.array_equal(honest, blindfolded)


def test_shadow_rows_are_balanced_and_told_apart(seen: Observed) -> None:
    shadow = seen.shadow(Moved())
    assert len(shadow) == 2 * shadow.deleted.sum() == 2 * SIZES.originals * SIZES.requests


def test_names_of_plugins_do_as_well_as_objects() -> None:
    seen = observe("breast-cancer", "decision-tree", "none", "single", sizes=SIZES)
    assert seen.auc(Moved().score(seen.target(Moved()))).value == 0.5  # nothing was unlearned, so nothing moved


def test_the_same_seed_is_the_same_observation() -> None:
    one, other = (observe(own_records(), Nearest(), sizes=SIZES, seed=3).game.target for _ in range(2))
    assert np.array_equal(one.after, other.after)
    assert not np.array_equal(one.record, observe(own_records(), Nearest(), sizes=SIZES, seed=4).game.target.record)


def test_sizes_that_do_not_fit_are_refused_with_the_largest_that_does() -> None:
    with pytest.raises(UserError, match="own, target side: records: 2000 is too large, 120 may be trained on"):
        observe(own_records(), Nearest())


def test_what_is_no_model_is_refused() -> None:
    told = r"^model: KNeighborsClassifier must be a name or derive from unlearnbench\.TargetModel$"
    with pytest.raises(UserError, match=told):
        observe(own_records(), KNeighborsClassifier(), sizes=SIZES)


def test_scores_of_another_length_are_refused(seen: Observed) -> None:
    with pytest.raises(UserError, match="expected one score for each of "):
        seen.auc([0.5])


def test_an_unlearner_that_refuses_the_model_says_why() -> None:
    with pytest.raises(UserError, match=r"^observe: "):
        observe(own_records(), Nearest(), "forest-exact", sizes=SIZES)


def test_an_unlearner_that_refuses_the_records_says_why() -> None:
    told = "^observe: needs a data set with `bounds`, within which features may be changed; own has none$"
    with pytest.raises(UserError, match=told):
        observe(own_records(), "mlp", "boundary-shrink", sizes=SIZES)


def test_a_scenario_that_refuses_the_records_says_why() -> None:
    with pytest.raises(
        UserError, match=r"^observe: needs a data set that says which records are canaries, .*; own does not$"
    ):
        observe(own_records(), Nearest(), scenario="canary", sizes=SIZES)
