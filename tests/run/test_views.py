"""What an attack is shown of a row, and what a defense is given: what is declared, and nothing beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.run.games import (
    COPIES,
    REQUESTS,
    Recorder,
)
from unlearnbench.builtin.defenses.posterior_noise import PosteriorNoise
from unlearnbench.core.copies import SCALES
from unlearnbench.core.defenses import ReleaseDefense, ReleaseKeys
from unlearnbench.core.observations import Needs, UndeclaredNeedError, View
from unlearnbench.run.attacking import attack_scores
from unlearnbench.run.game import Game
from unlearnbench.run.releasing import release, with_references


def test_attacks_are_fitted_on_a_balanced_shuffled_game(game: Game) -> None:
    recorder = Recorder()
    attack_scores(game, recorder, "recorder")
    shadow = recorder.fitted_on[0]
    assert shadow.deleted.sum() == (~shadow.deleted).sum() == 6 * REQUESTS
    assert not (np.diff(shadow.episode) >= 0).all()
    np.testing.assert_array_equal(shadow.member[:, 0], shadow.deleted)


def test_each_side_shows_features_of_its_own_records(game: Game) -> None:
    elsewhere = replace(game.shadow_records, x=game.shadow_records.x + 100)
    recorder = Recorder()
    attack_scores(replace(game, shadow_records=elsewhere), recorder, "recorder")
    n = len(game.companies)
    requests, rest = recorder.scored[:n], recorder.scored[n:]
    folds, targets = rest[::2], rest[1::2]
    assert all((shown.features > 50).all() for shown in (*recorder.fitted_on, *folds))
    assert all((shown.features < 50).all() for shown in (*requests, *targets))


def test_a_view_holds_neither_role_nor_membership_nor_record(game: Game) -> None:
    recorder = Recorder()
    attack_scores(game, recorder, "recorder")
    assert {"role", "member", "deleted", "record", "position"}.isdisjoint(vars(recorder.scored[0]))


READS: dict[str, Callable[[View], object]] = {
    "before": lambda view: view.before,
    "after": lambda view: view.after,
    "label": lambda view: view.label,
    "features": lambda view: view.features,
}


@pytest.mark.parametrize("what", READS)
def test_what_is_not_declared_is_refused_and_not_even_there(game: Game, what: str) -> None:
    allowed = {
        "before": Needs(versions="unlearned", label=True, features=True),
        "after": Needs(versions="original", label=True, features=True),
        "label": Needs(features=True),
        "features": Needs(label=True),
    }[what]
    recorder = Recorder(allowed)
    attack_scores(game, recorder, "recorder")
    for view in (recorder.scored[0], recorder.fitted_on[0]):
        with pytest.raises(UndeclaredNeedError, match="does not declare"):
            READS[what](view)
        assert getattr(view, f"_{what}").size == 0
        for other in READS.keys() - {what}:
            assert len(READS[other](view)) == len(view)  # type: ignore[arg-type]  # arrays


@dataclass
class KeyRecorder(ReleaseDefense):
    seen: list[ReleaseKeys] = field(default_factory=list)

    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        self.seen.append(keys)
        return log_posteriors


def test_release_keys_differ_by_side_version_and_row(game: Game) -> None:
    defense = KeyRecorder()
    release(game, defense)
    told = [
        set(
            zip(
                [k.seed] * len(k.record),
                *(a.tolist() for a in (k.episode, k.request, k.version, k.record)),
                strict=True,
            )
        )
        for k in defense.seen
    ]
    assert len(told) == 2 * (2 + 16 + 1 + 2)  # two versions of sides, of reference models, of the population, of copies
    copies = 2 * COPIES * len(SCALES) * len(game.target)
    assert sum(map(len, told)) == len(set().union(*told)) == 2 * ((2 + 16) * len(game.target) + 24 * 100 + copies)
    assert len({keys.seed for keys in defense.seen}) == 4


def test_more_reference_models_are_released_as_with_the_game_and_its_rows_not_again(game: Game) -> None:
    noise, defense = PosteriorNoise(), KeyRecorder()
    whole, rows = release(game, noise), release(replace(game, references=()), noise)
    for number in (3, 16):
        found = with_references(rows, game.references[:number], noise)
        assert found.target is rows.target
        assert found.population is rows.population
        for one, other in zip(found.references, whole.references, strict=False):
            assert np.array_equal(one.before, other.before)
            assert np.array_equal(one.after, other.after)
    with_references(rows, game.references[:3], defense)
    assert len(defense.seen) == 2 * 3


def test_both_sides_go_through_the_defense_and_nothing_else_changes(game: Game) -> None:
    class Flat(ReleaseDefense):
        def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
            return np.full_like(log_posteriors, -np.log(3))

    flat = release(game, Flat())
    for seen, real in ((flat.target, game.target), (flat.shadow, game.shadow)):
        assert np.unique(seen.before).size == np.unique(seen.after).size == 1
        assert seen.role is real.role
        assert seen.member is real.member


@pytest.mark.parametrize("answer", [lambda p: p[:, :1], lambda p: np.full_like(p, np.nan), lambda p: p[:-1]])
def test_a_defense_must_release_finite_posteriors_of_the_same_shape(game: Game, answer: Callable[..., object]) -> None:
    class Bad(ReleaseDefense):
        def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
            return answer(log_posteriors)  # type: ignore[return-value]  # one of the lambdas above

    with pytest.raises(ValueError, match="a defense must release log-posteriors"):
        release(game, Bad())
