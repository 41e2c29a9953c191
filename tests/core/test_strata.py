"""Deleted records and negatives come from one stratum, and nobody knows there who was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError
from unlearnbench.core.originals import Original
from unlearnbench.core.pools import EpisodeSizes, Pools
from unlearnbench.core.records import Provenance, Records, TrainingSet
from unlearnbench.core.scenarios import Role
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.strata import Candidates, Ids, StratumScenario, lowest
from unlearnbench.stats import midranks
from unlearnbench.testing.scenarios import LinearModel

SEEDS = SeedPath(5) / "toy" / "target" / 0 / "requests"
N = 120


@dataclass(frozen=True)
class Residues(StratumScenario):
    """The strata are the remainders of ids by ``modulus``; ``keep`` leaves some of them out."""

    size: int | None = 2
    modulus: int = 4
    keep: int = 4

    def strata(self, candidates: Candidates, seeds: SeedPath) -> Sequence[Ids]:
        return [candidates.ids[candidates.ids % self.modulus == residue] for residue in range(self.keep)]


def pools(seed: int = 0, trained: int = 60) -> Pools:
    ids = np.random.default_rng(seed).permutation(N)
    return Pools(np.sort(ids[:trained]), ids[:trained], ids[trained:])


def original_of(dealt: Pools) -> Original:
    x = np.random.default_rng(1).normal(size=(N, 3))
    records = Records("toy", x, np.arange(N) % 3, 3, Provenance("made up", "CC0"))
    return Original(LinearModel(), TrainingSet.of(records, dealt.training), SEEDS / "train")


@given(
    seed=st.integers(0, 1000),
    size=st.one_of(st.none(), st.integers(1, 4)),
    modulus=st.integers(1, 5),
    requests=st.integers(1, 5),
    trained=st.integers(30, 90),
)
def test_deleted_and_unseen_records_are_of_one_stratum(
    seed: int, size: int | None, modulus: int, requests: int, trained: int
) -> None:
    scenario, sizes = Residues(size, modulus, modulus), EpisodeSizes(requests=requests, negatives=40, records=trained)
    dealt = pools(seed, trained)
    original = original_of(dealt)
    try:
        made = scenario.requests(dealt, sizes, SEEDS, original)
    except UserError:
        return
    deleted = np.concatenate([request.forgotten for request in made])
    assert len(made) == requests
    assert len(np.unique(deleted)) == len(deleted) >= scenario.deletions_needed(sizes)
    for number, request in enumerate(made):
        queries = scenario.queries(request, dealt, sizes, SEEDS / number, original, original.fitted)
        assert request.stratum is not None
        assert np.isin(queries.ids, request.stratum).all()
        assert np.isin(queries.ids[queries.role == Role.UNSEEN], dealt.unseen).all()
        assert 0 < len(request.forgotten) <= (queries.role == Role.UNSEEN).sum()
        assert size is None or len(request.forgotten) == size


@pytest.mark.parametrize("scenario", [Residues(), Residues(None), Residues(3, 2, 2)])
def test_strata_take_turns_and_more_requests_begin_with_the_fewer(scenario: Residues) -> None:
    dealt = pools(trained=40)
    fewer, more = (
        scenario.requests(dealt, EpisodeSizes(requests=n), SEEDS, original_of(dealt)) for n in (2, scenario.keep)
    )
    assert [request.forgotten.tolist() for request in more[:2]] == [request.forgotten.tolist() for request in fewer]
    assert [int(request.forgotten[0] % scenario.modulus) for request in more] == list(range(scenario.keep))


def test_a_stratum_without_enough_negatives_is_passed_over() -> None:
    dealt = pools()
    unseen = dealt.unseen[dealt.unseen % 4 != 1]  # of one stratum nobody is unseen
    scarce = Pools(dealt.training, dealt.deletable, unseen)
    made = Residues().requests(scarce, EpisodeSizes(requests=3), SEEDS, original_of(scarce))
    assert [int(request.forgotten[0] % 4) for request in made] == [0, 2, 3]


REFUSED: list[tuple[Residues, EpisodeSizes, int]] = [
    (Residues(None), EpisodeSizes(requests=5), 4),  # whole strata, each once
    (Residues(8), EpisodeSizes(requests=4, negatives=7), 0),  # too few are queried
    (Residues(2, keep=0), EpisodeSizes(requests=1), 0),  # no stratum at all
    (Residues(5, 1, 1), EpisodeSizes(requests=20), 8),  # forty records are too few
    (Residues(None, 1, 1), EpisodeSizes(requests=1, negatives=100), 0),  # one record must stay
]


@pytest.mark.parametrize(("scenario", "sizes", "possible"), REFUSED)
def test_requests_without_honest_negatives_are_refused(scenario: Residues, sizes: EpisodeSizes, possible: int) -> None:
    dealt = pools(trained=40)
    with pytest.raises(UserError, match=f"only {possible} of {sizes.requests} requests can be made") as refused:
        scenario.requests(dealt, sizes, SEEDS, original_of(dealt))
    assert len(str(refused.value)) < 300


def test_candidates_do_not_tell_who_was_trained_on() -> None:
    dealt = pools()
    swapped = Pools(np.sort(dealt.unseen), dealt.unseen, dealt.deletable)
    one, other = (Candidates.of(each, original_of(each)) for each in (dealt, swapped))
    assert one.ids.tolist() == other.ids.tolist() == list(range(N))
    assert np.array_equal(one.x, other.x)
    assert np.array_equal(one.y, other.y)


def test_there_are_at_most_twice_as_many_unseen_candidates_as_others() -> None:
    dealt = pools(trained=30)
    ids = Candidates.of(dealt, original_of(dealt)).ids
    assert sorted(ids) == sorted([*dealt.deletable, *dealt.unseen[:60]])


def test_strata_are_found_once_for_all_who_share_an_original() -> None:
    calls: list[Candidates] = []

    @dataclass(frozen=True)
    class Counts(Residues):
        def strata(self, candidates: Candidates, seeds: SeedPath) -> Sequence[Ids]:
            calls.append(candidates)
            return super().strata(candidates, seeds)

    dealt = pools()
    shared = original_of(dealt)
    for scenario in (Counts(), Counts(), Counts(1)):
        scenario.requests(dealt, EpisodeSizes(requests=2), SEEDS, shared.share(np.array([])))
    assert len(calls) == 2
    assert not shared.is_used


def test_a_model_that_is_trained_for_strata_is_a_use_of_the_original() -> None:
    dealt = pools()
    shared = original_of(dealt)
    Candidates.of(dealt, shared.share(np.array([]))).train([np.arange(N) < 50], SEEDS)
    assert shared.is_used
    assert not shared.is_trained


def test_of_equal_values_the_lowest_are_drawn() -> None:
    values = np.array([3.0, 1.0, 1.0, 1.0, 1.0, 0.0])
    drawn = {tuple(sorted(lowest(values, 0.5, SEEDS / i))) for i in range(40)}
    assert all(5 in chosen and 0 not in chosen for chosen in drawn)
    assert len(drawn) == 6  # two of four
    assert lowest(values, 0.01, SEEDS).tolist() == [5]


def far_from_others(candidates: Candidates) -> NDArray[np.float64]:
    return np.asarray(np.abs(candidates.x - candidates.x.mean(axis=0)).max(axis=1))


@dataclass(frozen=True)
class Far(StratumScenario):
    """Records far from the mean."""

    size: int | None = 1

    def strata(self, candidates: Candidates, seeds: SeedPath) -> Sequence[Ids]:
        return [candidates.ids[lowest(-far_from_others(candidates), 0.3, seeds)]]


def auc(deleted: Sequence[float], unseen: Sequence[float]) -> float:
    ranks = midranks(np.concatenate([deleted, unseen]))[: len(deleted)]
    return float((ranks.mean() - (len(deleted) + 1) / 2) / len(unseen))


def test_where_nothing_leaks_deleted_records_look_like_their_negatives_and_unlike_all_unseen_ones() -> None:
    found: dict[str, list[float]] = {"deleted": [], "negatives": [], "unseen": []}
    for seed in range(120):
        dealt = pools(seed)
        original = original_of(dealt)
        far = far_from_others(Candidates.of(dealt, original))
        (request,) = Far().requests(dealt, EpisodeSizes(requests=1), SEEDS / seed, original)
        found["deleted"] += far[request.forgotten].tolist()
        found["negatives"] += far[request.of_stratum(dealt.unseen)[:5]].tolist()
        found["unseen"] += far[dealt.unseen[:5]].tolist()
    assert auc(found["deleted"], found["negatives"]) == pytest.approx(0.5, abs=0.1)  # three standard errors
    assert auc(found["deleted"], found["unseen"]) > 0.8
