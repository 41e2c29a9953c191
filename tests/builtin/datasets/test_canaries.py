"""Canaries are the records that their definitions give, found in another way, and only their labels are others."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from unlearnbench.builtin.datasets.canaries.dataset import Canaries, Kind, highest, with_canaries
from unlearnbench.builtin.datasets.canaries.gradient_norm import FEATURES, gradient_norm
from unlearnbench.builtin.datasets.canaries.rare_flip import SAMPLE, rare_flip
from unlearnbench.builtin.datasets.digits import Digits
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Provenance, Records
from unlearnbench.core.seeding import SeedPath
from unlearnbench.hooks.parameters import ParameterError, resolve
from unlearnbench.hooks.registry import load_registry

REGISTRY = load_registry(discover=False)
SEEDS = SeedPath(0) / "canaries" / "toy"
KINDS: tuple[Kind, ...] = get_args(Kind)


def toy(n: int = 60, features: int = 3, classes: int = 3, x: NDArray[np.float64] | None = None) -> Records:
    drawn = np.random.default_rng(n).normal(size=(n, features)) * np.geomspace(0.01, 1000, features) if x is None else x
    return Records("toy", drawn, np.arange(n) % classes, classes, Provenance("made up", "CC0", "a note"))


def standardized(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((x - x.mean(axis=0)) / x.std(axis=0))


def to_fifth(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each record to its fifth nearest other one."""
    scaled = standardized(x)
    apart = np.sqrt(((scaled[:, None] - scaled) ** 2).sum(axis=2))
    np.fill_diagonal(apart, np.inf)
    return np.asarray(np.sort(apart, axis=1)[:, 4])


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_other_data_set_but_for_the_labels_of_canaries(kind: Kind) -> None:
    plain, made = Digits().load(), Canaries(kind=kind, share=0.1).load()
    assert made.canary is not None
    assert made.canary.sum() == round(0.1 * 1797)
    assert np.array_equal(made.y != plain.y, made.canary)
    assert made.mislabelled is not None
    assert np.array_equal(made.mislabelled, made.canary)
    assert np.array_equal(made.x, plain.x)
    assert (made.name, made.bounds, made.n_classes) == ("canaries", plain.bounds, 10)
    assert made.provenance.note.startswith(f"digits with 180 canaries ({kind}); ")
    assert not made.has_duplicate[made.canary].any()
    assert made.sha256 == Canaries(kind=kind, share=0.1).load().sha256


def test_rare_records_have_the_farthest_fifth_neighbour() -> None:
    of = toy()
    made = with_canaries(of, 0.1, "rare-flip", SEEDS)
    assert made.canary is not None
    assert np.flatnonzero(made.canary).tolist() == sorted(np.argsort(-to_fifth(of.x))[:6].tolist())
    np.testing.assert_allclose(rare_flip(of, SEEDS)[0], to_fifth(of.x), rtol=1e-9)


def test_the_few_records_far_from_many_others_are_rare_though_neighbours_are_sampled() -> None:
    x = np.random.default_rng(0).normal(size=(SAMPLE + 1000, 2))
    far = np.array([5, 800, 2999])
    x[far] = [[40, 0], [0, 60], [-50, -50]]
    rare, _ = rare_flip(toy(len(x), x=x), SEEDS)
    assert sorted(np.argsort(-rare)[:3]) == far.tolist()


def test_a_rare_record_may_get_every_other_class_and_another_draw_gives_others() -> None:
    of = toy(300)
    one, other = (rare_flip(of, SeedPath(draw))[1] for draw in range(2))
    assert all(set((label - of.y) % 3) == {1, 2} for label in (one, other))
    assert not np.array_equal(one, other)


def test_the_gradient_norm_is_that_of_a_model_trained_on_the_others() -> None:
    """Ridge regression is solved again without each record, and the gradient of the squared loss taken as a matrix."""
    of = toy(30, classes=4)
    x, y = np.column_stack([standardized(of.x), np.ones(30)]), np.eye(4)[of.y]
    norm, label = gradient_norm(of, SEEDS)
    for i in range(30):
        rest = np.arange(30) != i
        weights = np.linalg.solve(x[rest].T @ x[rest] + np.eye(4), x[rest].T @ y[rest])
        norms = [np.linalg.norm(np.outer(x[i], x[i] @ weights - one)) for one in np.eye(4)]
        others = np.delete(np.arange(4), of.y[i])
        assert label[i] == others[np.argmax(np.take(norms, others))]
        assert norm[i] == pytest.approx(max(np.take(norms, others)))


def test_gradients_of_constant_and_repeated_features_are_finite() -> None:
    x = np.random.default_rng(0).normal(size=(40, 1)) * [1, 1, 0]
    assert np.isfinite(gradient_norm(toy(40, x=x), SEEDS)[0]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_images_have_the_canaries_of_their_pixels(kind: Kind) -> None:
    pixels = np.random.default_rng(0).integers(0, 17, size=(60, 16)).astype(float)
    flat, images = (
        with_canaries(replace(toy(x=pixels), x=pixels.reshape(60, *shape), bounds=(0, 16)), 0.1, kind, SEEDS)
        for shape in ((16,), (4, 4))
    )
    assert np.array_equal(images.x.reshape(60, 16), pixels)
    assert images.bounds == flat.bounds
    assert np.array_equal(images.y, flat.y)


@given(
    st.integers(8, 80), st.floats(0.02, 0.2), st.sampled_from(KINDS), st.integers(2, 30), st.integers(2, 5), st.data()
)
def test_canaries_are_as_many_as_wanted_have_no_duplicate_and_another_class(
    n: int, share: float, kind: Kind, values: int, classes: int, data: st.DataObject
) -> None:
    x = np.random.default_rng(data.draw(st.integers(0, 9))).integers(0, values, size=(n, 2)).astype(float)
    of = toy(n, classes=classes, x=x)
    wanted, single = round(share * n), int((~of.has_duplicate).sum())
    if not min(wanted, single):
        with pytest.raises(
            UserError, match=f"of {n} records of toy, {single} of them without a duplicate, is no canary"
        ):
            with_canaries(of, share, kind, SEEDS)
        return
    made = with_canaries(of, share, kind, SEEDS)
    assert made.canary is not None
    assert made.canary.sum() == min(wanted, single)
    assert not of.has_duplicate[made.canary].any()
    assert np.array_equal(made.y != of.y, made.canary)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 2**30))
def test_more_canaries_begin_with_the_fewer_and_ties_do_not_depend_on_rounding(one: int, two: int, seed: int) -> None:
    few, many = sorted((one, two))
    rng = np.random.default_rng(seed)
    score = np.asarray(rng.integers(1, 5, size=50), dtype=np.float64)
    rounded: NDArray[np.float64] = score * (1 + rng.uniform(-1e-12, 1e-12, size=50))
    chosen = highest(score, few, SeedPath(seed))
    assert chosen.sum() == few
    assert not (chosen & ~highest(score, many, SeedPath(seed))).any()
    assert np.array_equal(chosen, highest(rounded, few, SeedPath(seed)))
    if 0 < few < 50:
        assert score[chosen].min() >= score[~chosen].max()


@pytest.mark.parametrize(
    ("of", "share", "kind", "told"),
    [
        (toy(classes=1), 0.1, "rare-flip", "toy has only one"),
        (toy(classes=1), 0.1, "gradient-norm", "toy has only one"),
        (toy(), 0.001, "rare-flip", "share: 0.001 of 60 records of toy, 60 of them without"),
        (
            toy(x=np.ones((60, 2))),
            0.1,
            "gradient-norm",
            "toy, 0 of them without a duplicate, is no canary",
        ),
        (
            toy(4, FEATURES + 1),
            0.2,
            "gradient-norm",
            "4097 features, which must be at most 4096; use rare-flip",
        ),
    ],
)
def test_what_can_have_no_canaries_is_refused_in_one_line(of: Records, share: float, kind: Kind, told: str) -> None:
    with pytest.raises(UserError) as refused:
        with_canaries(of, share, kind, SEEDS)
    assert told in str(refused.value)
    assert len(str(refused.value)) <= 300


@pytest.mark.parametrize(
    "params",
    [{"of": "canaries"}, {"of": "mislabelled"}, {"share": 0.0}, {"share": 0.21}, {"kind": "rare"}, {"draw": -1}],
)
def test_other_parameters_are_refused(params: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        resolve(REGISTRY.get("dataset", "canaries"), params)
