"""What the conformance kit cannot know about the built-in unlearners."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.builtin.unlearners.controls.noise_floor import NoiseFloor
from unlearnbench.builtin.unlearners.controls.none import NoUnlearning
from unlearnbench.builtin.unlearners.controls.random_noise import RandomNoise
from unlearnbench.builtin.unlearners.exact.retrain import Retrain
from unlearnbench.builtin.unlearners.exact.sisa import SISA
from unlearnbench.core.models import TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Records, Step, TrainingSet
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import State, Unlearner
from unlearnbench.engine.querying import query

if TYPE_CHECKING:
    from tests.builtin.unlearners.conftest import Tree


TRAIN, SERVE = SeedPath(2) / "train", SeedPath(2) / "serve"
UNLEARNERS = [
    Retrain(),
    Retrain("fresh", "fresh"),
    Retrain("same", "compact"),
    SISA(3),
    SISA(3, mean="size"),
    NoiseFloor(),
    NoUnlearning(),
    RandomNoise(),
]
KEEPS_SEEDS = [unlearner for unlearner in UNLEARNERS if unlearner in (Retrain(), SISA(3), NoUnlearning())]
every_unlearner = pytest.mark.parametrize("unlearner", UNLEARNERS, ids=repr)


def request(*steps: tuple[list[int], list[int]]) -> Request:
    return Request(tuple(Step(np.array(f, dtype=np.int64), np.array(a, dtype=np.int64)) for f, a in steps))


REQUESTS = [request(([0], [])), request(([1], [50]), ([50, 2], [])), request(([3, 4, 5], []))]


def serve(
    unlearner: Unlearner, model: TargetModel, data: TrainingSet, requests: list[Request] = REQUESTS
) -> tuple[State, Sequence[Sequence[State]]]:
    state = unlearner.prepare(Original(model, data, TRAIN))
    return state, unlearner.serve_all(state, requests, SERVE)


def shown(chains: Sequence[Sequence[State]], records: Records) -> list[NDArray[np.float64]]:
    return [query([version.fitted for version in chain], records.x, records.n_classes) for chain in chains]


@pytest.mark.parametrize("unlearner", KEEPS_SEEDS, ids=repr)
def test_where_seeds_are_kept_the_order_of_requests_does_not_matter(
    unlearner: Unlearner, tree: Tree, data: TrainingSet
) -> None:
    forwards = shown(serve(unlearner, tree, data)[1], data.records)
    backwards = shown(serve(unlearner, tree, data, REQUESTS[::-1])[1], data.records)
    assert all(np.array_equal(a, b) for a, b in zip(forwards, reversed(backwards), strict=True))


@pytest.mark.parametrize(
    "unlearner", [one for one in UNLEARNERS if not isinstance(one, SISA)], ids=repr
)  # whose original is an ensemble
def test_all_unlearners_start_from_the_same_original(unlearner: Unlearner, tree: Tree, data: TrainingSet) -> None:
    original, reference = (
        serve(one, tree, data)[0].fitted.log_posteriors(data.records.x) for one in (unlearner, Retrain())
    )
    assert np.array_equal(original, reference)


@every_unlearner
def test_a_decision_tree_is_refused_by_none_of_them(unlearner: Unlearner) -> None:
    assert unlearner.refusal(DecisionTree()) is None
