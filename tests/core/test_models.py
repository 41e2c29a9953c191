"""Seeds, and what a model promises unless it says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pytest

from unlearnbench.core.models import FitTask, Fitted, HasRegions, Seeds, TargetModel
from unlearnbench.core.records import Provenance, Records, TrainingSet
from unlearnbench.core.seeding import SeedPath


@dataclass(frozen=True)
class Answers:
    """A model that tells how many records it was trained on."""

    n: int

    def log_posteriors(self, x: np.ndarray) -> np.ndarray:
        return np.full((len(x), 1), 0.0)


class Counting(TargetModel):
    def fit(self, task: FitTask, device: str) -> Answers:
        return Answers(len(task.data))


def test_the_seeds_of_a_place_differ_from_each_other_and_from_those_of_other_places() -> None:
    here, there = Seeds.at(SeedPath(0) / "a"), Seeds.at(SeedPath(0) / "b")
    assert len({*vars(here).values(), *vars(there).values()}) == 6
    assert here == Seeds.at(SeedPath(0) / "a")


@pytest.mark.parametrize("used", [set(c) for k in range(4) for c in combinations(("init", "order", "noise"), k)])
def test_seeds_that_are_not_used_are_zeroed_and_the_others_stay(used: set[str]) -> None:
    only = Seeds(11, 22, 33).only(frozenset(used))  # type: ignore[arg-type] # str for the parametrize table
    assert vars(only) == {name: seed if name in used else 0 for name, seed in vars(Seeds(11, 22, 33)).items()}


def test_a_model_is_taken_to_use_every_seed_and_to_honour_every_order_unless_it_says_otherwise() -> None:
    assert Counting.seeds_used == {"init", "order", "noise"}
    assert Counting().orders == {"slot", "compact", "fresh"}
    assert not Counting.continues
    assert not Counting.uses_device


def test_many_models_are_trained_one_by_one_unless_an_author_writes_more() -> None:
    records = Records("toy", np.arange(6.0)[:, None], np.zeros(6, dtype=np.int64), 1, Provenance("", ""))
    tasks = [FitTask(TrainingSet.of(records, np.arange(n)), Seeds(0, 0, 0)) for n in (3, 1, 5)]
    assert Counting().fit_many(tasks, "cpu") == [Answers(3), Answers(1), Answers(5)]


def test_a_method_is_all_that_makes_a_fitted_model_and_another_one_that_gives_it_regions() -> None:
    class Leaves(Answers):
        def region(self, x: np.ndarray) -> np.ndarray:
            return np.zeros(len(x), dtype=np.int64)

    assert isinstance(Answers(0), Fitted)
    assert not isinstance(Answers(0), HasRegions)
    assert isinstance(Leaves(0), HasRegions)
    assert not isinstance(object(), Fitted)
