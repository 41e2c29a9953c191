"""Searches for the decision boundary by labels: known answers, budgets, and what a search follows from."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import PackageNotFoundError
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError
from unlearnbench.core.posteriors import log_of, log_softmax
from unlearnbench.core.records import Records
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine import boundary
from unlearnbench.engine.boundary import Search, require_toolbox, search_boundary
from unlearnbench.testing.samples import blobs

Floats = NDArray[np.float64]

pytest.importorskip("art", reason="the extra boundary is not installed")

SEEDS = SeedPath(5) / "boundary"


@dataclass
class Model:
    """Answers by a function of the features, flat, to scores (n, C), and keeps what it was asked."""

    scores: Callable[[Floats], Floats]
    asked: list[Floats] = field(default_factory=list)

    def log_posteriors(self, x: Floats) -> Floats:
        self.asked.append(x)
        return log_softmax(self.scores(x.reshape(len(x), -1)))

    @property
    def points(self) -> Floats:
        return np.concatenate(self.asked)


@cache
def records(n_classes: int = 2, features: int = 6) -> Records:
    return replace(blobs(300, n_classes, (features,)), bounds=None)


def linear(data: Records, seed: int = 0) -> tuple[Model, Floats, Floats]:
    """Return a linear model whose hyperplanes pass through the middle of the data, with weights and intercepts."""
    w = np.random.default_rng(seed).normal(size=(data.n_classes, data.x[0].size)) / data.spread.ravel()
    b = -w @ data.x.mean(axis=0).ravel()
    return Model(lambda x: x @ w.T + b), w, b


def nearest(data: Records, record: int, w: Floats, b: Floats) -> tuple[float, bool]:
    """Return the distance to the nearest hyperplane that bounds the record's class, and if its foot may be asked."""
    x, y, spread = data.x[record], data.y[record], data.spread
    margin, normal = (w[y] - w) @ x + b[y] - b, (w[y] - w) * spread
    others = np.arange(data.n_classes) != y
    distance = np.full(data.n_classes, np.inf)
    distance[others] = margin[others] / np.linalg.norm(normal[others], axis=1)
    if distance.min() < 0:
        return 0.0, True
    k = int(distance.argmin())
    foot = x - distance[k] * spread * normal[k] / np.linalg.norm(normal[k])
    return float(distance[k]), bool(((foot >= data.x.min(axis=0)) & (foot <= data.x.max(axis=0))).all())


def ratios(n_classes: int, budget: int) -> Floats:
    """Return what is found over what is true, of records whose nearest boundary point may be asked about."""
    data = records(n_classes)
    model, w, b = linear(data)
    known = {record: nearest(data, record, w, b) for record in range(60)}
    reachable = {record: distance for record, (distance, inside) in known.items() if inside and distance > 0}
    assert len(reachable) > 8
    found = {record: search_boundary(model, data, record, budget, SEEDS).distance for record in reachable}
    return np.array([found[record] / distance for record, distance in reachable.items()])


@pytest.mark.parametrize(("budget", "factor"), [(1_000, 1.1), (4_000, 1.03)])
def test_the_distance_to_a_hyperplane_is_approached_from_above(budget: int, factor: float) -> None:
    """A linear model of two classes has its boundary at |w x + b| / |w|, in spreads of the features."""
    found = ratios(2, budget)
    assert found.min() >= 1 - 1e-9
    assert found.max() <= factor


def test_of_several_classes_the_boundary_that_is_found_need_not_be_the_nearest() -> None:
    found = ratios(4, 4_000)
    assert found.min() >= 1 - 1e-9
    assert np.median(found) <= 1.03
    assert found.max() > 1.03


def test_a_record_whose_label_the_model_does_not_give_has_distance_0_after_one_query() -> None:
    data = records()
    model, w, b = linear(data)
    wrong = np.flatnonzero((data.x @ w.T + b).argmax(axis=1) != data.y)
    assert {search_boundary(model, data, int(record), 500, SEEDS) for record in wrong[:5]} == {Search(0.0, 1)}


def test_of_tied_classes_the_first_is_the_label_as_where_labels_are_released() -> None:
    data, tied = records(), Model(lambda x: np.zeros((len(x), 2)))
    first, second = (int(np.flatnonzero(data.y == y)[0]) for y in (0, 1))
    assert search_boundary(tied, data, second, 200, SEEDS) == Search(0.0, 1)
    assert search_boundary(tied, data, first, 200, SEEDS).distance > 0


@given(st.integers(1, 900), st.integers(0, 299))
@settings(max_examples=40, deadline=None)
def test_the_budget_holds_and_every_query_is_counted(budget: int, record: int) -> None:
    model, _, _ = linear(records())
    found = search_boundary(model, records(), record, budget, SEEDS)
    assert found.queries == len(model.points) <= budget
    assert found.queries in (1, budget), "a search ends at once, or with its budget"


@given(st.integers(0, 299), st.lists(st.integers(1, 1_200), min_size=2, max_size=3, unique=True))
@settings(max_examples=40, deadline=None)
def test_a_larger_budget_goes_on_where_a_smaller_one_ends(record: int, budgets: list[int]) -> None:
    models, found = [], []
    for budget in sorted(budgets):
        models.append(linear(records(3))[0])
        found.append(search_boundary(models[-1], records(3), record, budget, SEEDS).distance)
    assert found == sorted(found, reverse=True)
    for fewer, more in pairwise(models):
        assert np.array_equal(fewer.points, more.points[: len(fewer.points)])


@given(st.integers(0, 299))
@settings(max_examples=30, deadline=None)
def test_the_distance_is_that_of_the_nearest_point_with_another_label(record: int) -> None:
    """A naive loop over all that was asked."""
    data = records(3)
    model, w, b = linear(data, seed=1)
    found = search_boundary(model, data, record, 400, SEEDS)
    others = model.points[(model.points @ w.T + b).argmax(axis=1) != data.y[record]]
    far = [np.linalg.norm((point - data.x[record]) / data.spread) for point in others]
    assert found.distance == pytest.approx(min(far), rel=1e-12)


@given(st.permutations(range(6)))
@settings(max_examples=15, deadline=None)
def test_a_search_follows_from_seeds_record_and_model_alone(order: list[int]) -> None:
    """In any order, with other draws in between, it is the same to the bit; other seeds give other points."""

    def search(record: int, seeds: SeedPath = SEEDS) -> Search:
        return search_boundary(linear(records(), seed=2)[0], records(), record, 300, seeds)

    alone = [search(record) for record in range(6)]
    np.random.seed(sum(order[:2]))  # noqa: NPY002 - the generator that the toolbox draws from
    assert {record: search(record) for record in order} == dict(enumerate(alone))
    assert [search(record, SeedPath(6)) for record in range(6)] != alone


def test_the_global_generator_is_left_as_it_was() -> None:
    def broken(x: Floats) -> Floats:
        raise ZeroDivisionError

    def fails_later(x: Floats) -> Floats:
        return broken(x) if len(x) > 1 else linear(records())[0].scores(x)

    right = next(r for r in range(300) if search_boundary(linear(records())[0], records(), r, 9, SEEDS).queries > 1)
    state = state_of_numpy()
    search_boundary(linear(records())[0], records(), right, 300, SEEDS)
    assert state_of_numpy() == state
    with pytest.raises(ZeroDivisionError):
        search_boundary(Model(fails_later), records(), right, 300, SEEDS)
    assert state_of_numpy() == state


def state_of_numpy() -> str:
    return str(np.random.get_state(legacy=False))  # noqa: NPY002 - as above


def test_where_no_point_has_another_label_the_distance_is_that_of_the_farthest_corner() -> None:
    data = records(1)
    found = search_boundary(Model(lambda x: np.zeros((len(x), 1))), data, 3, 5_000, SEEDS)
    reach = np.maximum(data.x[3] - data.x.min(axis=0), data.x.max(axis=0) - data.x[3]) / data.spread
    assert found.distance == pytest.approx(float(np.linalg.norm(reach)))
    assert found.queries == 1 + boundary.STARTS


@pytest.mark.parametrize("bounds", [(-80.0, 80.0), None])
def test_points_stay_within_bounds_and_features_that_all_share_stay(bounds: tuple[float, float] | None) -> None:
    x = records().x.copy()
    x[:, 2], x[:, 4] = 3.3, 0.1
    data = replace(records(), x=x, bounds=bounds)
    model, _, _ = linear(replace(data, x=records().x))
    low, high = (np.full(6, bound) for bound in bounds) if bounds else (x.min(axis=0), x.max(axis=0))
    for record in range(10):
        search_boundary(model, data, record, 500, SEEDS)
    points = model.points
    assert ((points >= low) & (points <= high)).all()
    assert (points[:, 2] == 3.3).all()
    assert (points[:, 4] == 0.1).all()
    assert (np.ptp(points, axis=0) > 0).tolist() == [True, True, False, True, False, True]


def test_where_no_feature_varies_there_is_nowhere_to_go() -> None:
    data = replace(records(), x=np.full((300, 2), 3.0))
    model = Model(lambda x: np.eye(2)[np.zeros(len(x), dtype=int)])
    assert search_boundary(model, data, int(np.flatnonzero(data.y == 0)[0]), 500, SEEDS).distance == 0


def test_records_of_any_shape_are_searched_as_if_they_were_flat() -> None:
    flat = records(2, 6)
    image = replace(flat, x=flat.x.reshape(300, 2, 3))
    for record in range(8):
        model, same = linear(flat)[0], linear(flat)[0]
        assert search_boundary(model, image, record, 300, SEEDS) == search_boundary(same, flat, record, 300, SEEDS)
        assert model.points.shape[1:] == (2, 3)


def test_a_model_with_steps_is_searched_to_the_end_of_the_budget() -> None:
    """A tree's regions have corners, and rounding to 32 bits can put a point on the wrong side of a cut."""
    data = records()

    def stump(x: Floats) -> Floats:
        return np.asarray(log_of(np.eye(2)[((x[:, 0] > data.x[0, 0]) ^ (x[:, 1] > 0)).astype(int)]))

    for record in range(20):
        found = search_boundary(Model(stump), data, record, 800, SEEDS)
        assert found.queries in (1, 800)
        assert np.isfinite(found.distance)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_model_that_answers_with_no_posteriors_is_at_fault(wrong: float) -> None:
    class Wrong:
        def log_posteriors(self, x: Floats) -> Floats:
            return np.full((len(x), 2), wrong)

    with pytest.raises(ValueError, match="a model must answer with log-posteriors"):
        search_boundary(Wrong(), records(), 0, 300, SEEDS)


def test_a_direction_that_is_none_ends_the_search() -> None:
    model = linear(records())[0]
    ask = boundary.LabelQueries(model, records(), 0, 100)
    with pytest.raises(boundary.SearchEndedError):
        ask(np.full((3, 6), np.nan))
    assert (ask.count, model.asked) == (0, [])


@pytest.mark.parametrize(("installed", "told"), [(None, "none is installed"), ("1.19.2", "1.19.2 is installed")])
def test_without_the_toolbox_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, installed: str | None, told: str
) -> None:
    def version(_: str) -> str:
        if installed is None:
            raise PackageNotFoundError
        return installed

    monkeypatch.setattr(boundary, "version", version)
    with pytest.raises(UserError, match=rf'^adversary: boundary: .*{told}; pip install "unlearnbench\[boundary\]"$'):
        require_toolbox()


def test_the_extra_installs_the_version_that_is_used() -> None:
    project: Any = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    wanted = f"{boundary.TOOLBOX}=={boundary.TOOLBOX_VERSION}"
    assert project["project"]["optional-dependencies"]["boundary"] == [wanted]
    require_toolbox()
