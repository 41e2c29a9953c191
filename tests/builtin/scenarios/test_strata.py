"""The strata of the built-in scenarios are those that their definitions give, found in another way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.builtin.scenarios.canary import Canary
from unlearnbench.builtin.scenarios.column_group import ColumnGroup
from unlearnbench.builtin.scenarios.least_confident import LeastConfident
from unlearnbench.builtin.scenarios.marked import MarkedRecords
from unlearnbench.builtin.scenarios.memorised import Memorised, memorisation
from unlearnbench.builtin.scenarios.mislabelled import MislabelledRecords
from unlearnbench.builtin.scenarios.neighbours import Neighbours
from unlearnbench.builtin.scenarios.one_class import Class
from unlearnbench.builtin.scenarios.outlier import Outlier
from unlearnbench.core.models import FitTask, TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.pools import EpisodeSizes, Pools
from unlearnbench.core.records import Provenance, Records, TrainingSet
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.strata import Candidates, StratumScenario

SEEDS = SeedPath(5) / "toy" / "target" / 0 / "requests"
N = 60
HARD = np.arange(0, N, 5)
"""Records that the model below gets right only where it was trained on them."""
WRONG = np.arange(1, N, 10)
"""Records that it never gets right."""


def records(names: tuple[str, ...] = ("home", "age", "pay")) -> Records:
    x = np.random.default_rng(1).normal(size=(N, 3)) * (1, 50, 3)
    x[:, 0] = np.arange(N) // 20
    return Records("toy", x, np.arange(N) % 3, 3, Provenance("made up", "CC0"), feature_names=names)


@dataclass(frozen=True)
class Recalls:
    """Knows which records it was trained on."""

    known: NDArray[np.bool_]
    records: Records

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the true class .9 where it is right, .05 where not."""
        ids = np.array([int(np.flatnonzero((self.records.x == row).all(axis=1))[0]) for row in x])
        right = ~np.isin(ids, WRONG) & (self.known[ids] | ~np.isin(ids, HARD))
        p = np.full((len(x), 3), 0.05)
        p[np.arange(len(x)), (self.records.y[ids] + ~right) % 3] = 0.9
        return np.asarray(np.log(p))


class RecallModel(TargetModel):
    def fit(self, task: FitTask, device: str) -> Recalls:
        known = np.zeros(N, dtype=np.bool_)
        known[task.data.kept_ids] = True
        return Recalls(known, task.data.records)


def pools(trained: int = 30) -> Pools:
    ids = np.random.default_rng(0).permutation(N)
    return Pools(np.sort(ids[:trained]), ids[:trained], ids[trained:])


def candidates(of: Records | None = None) -> Candidates:
    return Candidates.of(pools(), Original(RecallModel(), TrainingSet.of(of or records(), pools().training), SEEDS))


def strata(scenario: StratumScenario, of: Records | None = None) -> list[list[int]]:
    return [sorted(ids.tolist()) for ids in scenario.strata(candidates(of), SEEDS)]


def standardized(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((x - x.mean(axis=0)) / x.std(axis=0))


def distances() -> NDArray[np.float64]:
    x = standardized(records().x)
    apart = np.sqrt(((x[:, None] - x) ** 2).sum(axis=2))
    np.fill_diagonal(apart, np.inf)
    return np.asarray(apart)


def test_a_class_is_all_records_of_a_label() -> None:
    assert sorted(strata(Class())) == [list(range(label, N, 3)) for label in range(3)]


def test_a_whole_class_can_be_deleted() -> None:
    dealt = pools(20)
    original = Original(RecallModel(), TrainingSet.of(records(), dealt.training), SEEDS)
    made = Class(size=None).requests(dealt, EpisodeSizes(requests=3, negatives=20, records=20), SEEDS, original)
    labels = [set(records().y[request.forgotten].tolist()) for request in made]
    assert sorted(labels, key=min) == [{0}, {1}, {2}]
    assert sorted(np.concatenate([request.forgotten for request in made])) == dealt.training.tolist()


@pytest.mark.parametrize("column", ["home", 0])
def test_a_group_of_a_column_is_all_records_of_a_value(column: str | int) -> None:
    assert ColumnGroup(column=column).refusal_of_records(records()) is None
    assert sorted(strata(ColumnGroup(column=column))) == [list(range(start, start + 20)) for start in (0, 20, 40)]


WRONG_COLUMNS: list[tuple[str | int, Callable[[], Records], str]] = [
    ("hom", records, 'toy has no "hom"; did you mean "home"'),
    ("zip code", records, 'toy has no "zip code"; known: age, home, pay'),
    ("home", lambda: records(()), 'toy has no "home"'),
    (3, records, "toy has columns 0 to 2, got 3"),
    (-1, records, "toy has columns 0 to 2, got -1"),
    ("x" * 1000, records, "toy has no"),
    (0, lambda: Records("toy", np.ones((N, 2, 2)), np.arange(N) % 3, 3, Provenance("", "")), "which have no columns"),
]


@pytest.mark.parametrize(("column", "of", "message"), WRONG_COLUMNS)
def test_a_column_that_is_not_there_is_told(column: str | int, of: Callable[[], Records], message: str) -> None:
    refusal = ColumnGroup(column=column).refusal_of_records(of())
    assert refusal is not None
    assert refusal.startswith("column: ")
    assert message in refusal
    assert len(refusal) <= 300


@pytest.mark.parametrize(("k", "share"), [(1, 0.1), (5, 0.1), (5, 0.5), (1000, 0.2)])
def test_outliers_have_the_farthest_kth_neighbour(k: int, share: float) -> None:
    to_kth = np.sort(distances(), axis=1)[:, min(k, N - 1) - 1]
    assert strata(Outlier(k=k, share=share)) == [sorted(np.argsort(-to_kth)[: round(share * N)].tolist())]


def test_outliers_do_not_depend_on_units() -> None:
    of = records()
    other = Records("toy", of.x * (1, 1000, 0.01) + 7, of.y, 3, of.provenance)
    assert strata(Outlier(share=0.3), other) == strata(Outlier(share=0.3), of)


def test_neighbours_are_the_nearest_other_records_of_each() -> None:
    nearest = np.argsort(distances(), axis=1)[:, :7]
    found = strata(Neighbours(k=7))
    assert sorted(found) == sorted(sorted(row.tolist()) for row in nearest)
    assert len(found) == N
    assert all(len(stratum) == N - 1 for stratum in strata(Neighbours(k=1000)))


def test_memorisation_is_what_training_on_a_record_changes() -> None:
    expected = np.isin(np.arange(N), HARD) & ~np.isin(np.arange(N), WRONG)
    assert memorisation(candidates(), 16, SEEDS).tolist() == expected.tolist()


def test_levels_are_by_memorisation() -> None:
    (high,), (low,) = (strata(Memorised(level=level, share=0.1)) for level in ("high", "low"))
    assert set(high) <= set(HARD)
    assert len(high) == len(low) == 6
    assert not set(low) & set(HARD)


def test_the_middle_level_is_of_records_that_are_memorised_in_half_of_the_cases() -> None:
    @dataclass(frozen=True)
    class Sometimes(Recalls):
        def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
            answer = super().log_posteriors(x)
            return answer if self.known[:20].sum() % 2 else np.full(answer.shape, -np.log(3))

    class SometimesModel(RecallModel):
        def fit(self, task: FitTask, device: str) -> Recalls:
            return Sometimes(super().fit(task, device).known, task.data.records)

    of = Candidates.of(pools(), Original(SometimesModel(), TrainingSet.of(records(), pools().training), SEEDS))
    found = memorisation(of, 64, SEEDS)
    chosen = Memorised(level="mid", share=0.1, models=64).strata(of, SEEDS)[0]
    assert np.abs(found[chosen] - 0.5).max() <= np.sort(np.abs(found - 0.5))[5]


def test_a_bank_has_sixteen_models_at_least_each_record_in_half_of_them() -> None:
    seen: list[NDArray[np.int64]] = []

    class Watched(RecallModel):
        def fit(self, task: FitTask, device: str) -> Recalls:
            seen.append(task.data.kept_ids)
            return super().fit(task, device)

    of = Candidates.of(pools(), Original(Watched(), TrainingSet.of(records(), pools().training), SEEDS))
    memorisation(of, 16, SEEDS)
    assert len(seen) == 16
    assert (np.bincount(np.concatenate(seen), minlength=N) == 8).all()


def test_the_least_confident_are_hard_for_models_that_do_not_know_them() -> None:
    (found,) = strata(LeastConfident(share=(len(HARD) + len(WRONG)) / N))
    assert found == sorted({*HARD.tolist(), *WRONG.tolist()})


@pytest.mark.parametrize(("scenario", "mark"), [(MislabelledRecords(), "mislabelled"), (Canary(), "canary")])
def test_marked_records_are_those_that_the_data_set_names(scenario: MarkedRecords, mark: str) -> None:
    marked = np.zeros(N, dtype=np.bool_)
    marked[[3, 14, 15, 59]] = True
    marks: dict[str, Any] = {mark: marked}
    of = replace(records(), **marks)
    assert strata(scenario, of) == [[3, 14, 15, 59]]
    assert scenario.eligible(of) is marked
    assert scenario.refusal_of_records(of) is None


@pytest.mark.parametrize(
    ("scenario", "told"),
    [
        (MislabelledRecords(), "says which labels are wrong, such as mislabelled(of=digits); toy does not"),
        (Canary(), "says which records are canaries, such as canaries(of=digits); toy does not"),
    ],
)
def test_a_data_set_that_marks_none_is_refused(scenario: MarkedRecords, told: str) -> None:
    assert scenario.refusal_of_records(records()) == f"needs a data set that {told}"
