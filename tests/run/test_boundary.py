"""Searches for the decision boundary in a run: what is stored, who is shown what, and which cells are skipped."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from unlearnbench.builtin.attacks.boundary import Boundary
from unlearnbench.builtin.defenses.label_only import LabelOnly
from unlearnbench.builtin.defenses.posterior_noise import PosteriorNoise
from unlearnbench.builtin.defenses.temperature import Temperature
from unlearnbench.core.defenses import ReleaseDefense
from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.observations import Needs
from unlearnbench.core.pools import Side
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine import boundary
from unlearnbench.engine.boundary import search_boundary
from unlearnbench.run.attacking import attack_scores
from unlearnbench.run.boundary_rows import BoundaryRows
from unlearnbench.run.episode_arrays import from_arrays, to_arrays
from unlearnbench.run.episodes import Episode, EpisodeParts, observe
from unlearnbench.run.game import Game, game_seeds
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.originals import parts_of
from unlearnbench.run.releasing import release

pytest.importorskip("art", reason="the extra boundary is not installed")

BUDGET = 120
BOTH = ["boundary", "boundary-fall"]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, lab_in: Any) -> Any:
    """Models that know their members well, since each has more features than it has records of a class."""
    return lab_in(tmp_path_factory.mktemp("boundary")).run(
        only=("unlearner=retrain", "unlearner=none"),
        datasets=["digits"],
        models=["logistic-regression"],
        unlearners=["retrain", "none"],
        defenses=["none", "label-only", "temperature", "top-k", "posterior-noise"],
        attacks=BOTH,
        metrics=["auc"],
        episodes={"originals": 5, "requests": 6, "records": 150, "negatives": 8, "matched": 0, "retained": 1},
        adversary={"originals": 1, "requests": 1, "boundary": BUDGET},
        engine="auto",
    )


def found(ran: Any, attack: str, unlearner: str, defense: str = "none") -> Estimate:
    row = ran.row(attack=attack, unlearner=unlearner, defense=defense)
    assert row.status == "ok", row.reason
    return row.metrics["auc"]  # type: ignore[no-any-return]  # an estimate


def test_records_that_a_model_keeps_are_deeper_and_those_it_never_saw_are_not_found(ran: Any) -> None:
    assert (found(ran, "boundary", "none").value or 0) > 0.55
    assert found(ran, "boundary", "retrain").details["p_above_half"] > 0.05


def test_the_fall_finds_retrained_records_and_nothing_where_nothing_changes(ran: Any) -> None:
    assert (found(ran, "boundary-fall", "retrain").value or 0) > 0.65
    assert found(ran, "boundary-fall", "none").value == 0.5


@pytest.mark.parametrize("attack", BOTH)
@pytest.mark.parametrize("defense", ["label-only", "temperature", "top-k"])
def test_a_defense_that_keeps_labels_hides_nothing(ran: Any, attack: str, defense: str) -> None:
    for unlearner in ("none", "retrain"):
        assert found(ran, attack, unlearner, defense) == found(ran, attack, unlearner)


def test_cells_of_a_defense_that_may_release_other_labels_are_skipped_with_the_reason(ran: Any) -> None:
    reasons = {
        cell.names["attack"]: cell.reason for cell in ran.plan.skipped if cell.names["defense"] == "posterior-noise"
    }
    wanted = "reads the decision boundary of the models' labels, and posterior-noise may release other labels"
    assert reasons == dict.fromkeys(BOTH, wanted)


def test_where_none_is_searched_cells_are_skipped_with_the_reason(lab: Any) -> None:
    plan = lab.plan(attacks=["boundary", "gap"])
    (reason,) = {cell.reason for cell in plan.skipped if cell.names["attack"] == "boundary"}
    assert reason == "needs distances to the decision boundary, the suite's adversary searches none (boundary: QUERIES)"
    assert "gap" not in {cell.names["attack"] for cell in plan.skipped}


def test_without_the_toolbox_a_suite_that_searches_is_planned_and_read_and_not_run(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boundary, "TOOLBOX", "a-library-that-nobody-has")
    asked: dict[str, Any] = {"attacks": ["boundary"], "adversary": {"boundary": BUDGET}}
    lab.plan(**asked)
    with pytest.raises(UserError, match=r'pip install "unlearnbench\[boundary\]"$'):
        lab.run(**asked)
    assert not (lab.folder / "store").exists()


def parts(lab: Any, budget: int = BUDGET) -> tuple[str, EpisodeParts]:
    """Return key and parts of the first episode of a suite with such searches."""
    plan = lab.plan(only=("unlearner=retrain",), adversary={"boundary": budget} if budget else {})
    task = next(iter(plan.episodes.values()))
    return task.key, parts_of(task, PluginInstances(lab.load()[1]))


def searched(made: EpisodeParts) -> tuple[Episode, BoundaryRows]:
    episode = observe(made)
    assert episode.boundary is not None
    return episode, episode.boundary


def test_an_episode_is_the_same_with_and_without_searches(lab: Any) -> None:
    """All that others read is as it was; what was found is added, and stored. Only suites that ask have other keys."""
    (plain, without), (asked, with_searches) = parts(lab, 0), parts(lab)
    other, rows = searched(with_searches)
    ours, theirs = to_arrays(observe(without)), to_arrays(other)
    assert plain != asked
    assert asked != parts(lab, BUDGET + 1)[0]
    assert {name: ours[name].tobytes() for name in ours} == {name: theirs[name].tobytes() for name in ours}
    assert theirs.keys() - ours.keys() == {"boundary-distance", "boundary-queries"}
    again = from_arrays(theirs, other.seconds).boundary
    assert again is not None
    assert again.distance.tobytes() == rows.distance.tobytes()
    assert again.queries.tobytes() == rows.queries.tobytes()


def test_each_row_has_what_a_search_around_its_record_finds_alone(lab: Any) -> None:
    """A naive loop: each queried record by itself, under models that were trained anew."""
    _, made = parts(lab)
    episode, rows = searched(made)
    original, seeds = made.make_original(), SeedPath(made.seed) / made.records.name / "boundary"
    requests = made.scenario.requests(made.pools[0], made.sizes, made.seeds / "requests", original)
    state = made.unlearner.prepare(original)
    chains = made.unlearner.serve_all(state, requests, made.seeds / "serve")
    for row in np.random.default_rng(0).permutation(len(episode.observations))[:12]:
        record, last = int(episode.observations.record[row]), chains[episode.observations.request[row]][-1]
        each = [search_boundary(fitted, made.records, record, BUDGET, seeds) for fitted in (state.fitted, last.fitted)]
        assert rows.distance[row].tolist() == [search.distance for search in each]
        assert rows.queries[row].tolist() == [search.queries for search in each]
    assert len(rows.distance) == len(episode.observations)
    assert (rows.queries.min(), rows.queries.max()) == (1, BUDGET)


def test_the_distance_is_0_exactly_where_the_label_is_wrong(lab: Any) -> None:
    episode, rows = searched(parts(lab)[1])
    observed = episode.observations
    wrong = np.stack([each.argmax(axis=1) != observed.label for each in (observed.before, observed.last)], axis=1)
    assert np.array_equal(rows.distance == 0, wrong)
    assert 0 < wrong.sum() < wrong.size


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory, lab_in: Any) -> Game:
    """The game of one target and one shadow original."""
    lab = lab_in(tmp_path_factory.mktemp("game"))
    plan = lab.plan(only=("unlearner=retrain",), adversary={"boundary": BUDGET})
    instances = PluginInstances(lab.load()[1])
    (group,) = plan.groups
    made = {task.side: parts_of(task, instances) for task in (*group.target[:1], *group.shadow[:1])}
    (target, ours), (shadow, theirs) = (searched(made[side]) for side in ("target", "shadow"))
    records, scenario = made["target"].records, made["target"].scenario
    return Game.of(
        records,
        [target.observations],
        [shadow.observations],
        positive=scenario.positive,
        negative=scenario.negative,
        seeds=game_seeds(0, records),
        boundary={"target": [ours], "shadow": [theirs]},
    )


NEEDS = Needs(boundary=True, retained=True)


def test_each_row_is_shown_its_own_distances(game: Game) -> None:
    for side, observed in zip(get_args(Side), (game.target, game.shadow), strict=True):
        asked = dict(
            zip(zip(observed.request, observed.record, strict=True), game.boundary[side].distance, strict=True)
        )
        shown = game.target if side == "target" else game.lesson
        view, order = game.view(side, NEEDS, np.arange(len(shown)), game.seeds / "one")
        distances = np.stack([view.boundary.before, view.boundary.after], axis=1)
        for place, row in enumerate(order):
            assert distances[place].tolist() == asked[shown.request[row], shown.record[row]].tolist()


def test_what_is_not_declared_is_not_there(game: Game) -> None:
    for versions, gone in (("unlearned", "before"), ("original", "after")):
        view, _ = game.view("target", Needs(versions=versions, boundary=True), np.arange(4), game.seeds / "one")  # type: ignore[arg-type]  # versions
        assert len(getattr(view.boundary, gone)) == 0
    assert game.view("target", Needs(), np.arange(4), game.seeds / "one")[0]._boundary is None


def test_shadow_rows_can_be_chosen(game: Game) -> None:
    shadow = game.shadow_view(NEEDS, game.learned(NEEDS), game.seeds / "fit")
    half = shadow.take(shadow.deleted)
    assert np.array_equal(half.boundary.after, shadow.boundary.after[shadow.deleted])


def test_a_defense_that_keeps_labels_keeps_distances(game: Game) -> None:
    found = attack_scores(game, Boundary(), "boundary").target
    assert np.array_equal(attack_scores(release(game, LabelOnly()), Boundary(), "boundary").target, found)


@pytest.mark.parametrize("defense", [PosteriorNoise(), Temperature(1e30)], ids=str)
def test_the_game_leaves_them_out_where_a_defense_may_change_labels_or_has_by_rounding(
    game: Game, defense: ReleaseDefense
) -> None:
    wanted = "^the attack needs distances to the decision boundary: there are none here, or the defense changed labels$"
    with pytest.raises(UserError, match=wanted):
        attack_scores(release(game, defense), Boundary(), "boundary")


MINE = """
from unlearnbench import AttackPlugin, Needs, ScoreAttack, hookimpl

class Shallow(ScoreAttack):
    needs = Needs(boundary=True)

    def score(self, view):
        return -(view.boundary.before + view.boundary.after)

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="shallow", summary="Near the boundary of both.", factory=Shallow)
"""


def test_an_attack_of_ones_own_gets_them_in_its_process(lab: Any) -> None:
    ran = lab.run(
        only=("unlearner=retrain",), attacks=["shallow"], plugins=[lab.plugin(MINE)], adversary={"boundary": 20}
    )
    assert ran.row(attack="shallow").status == "ok"
