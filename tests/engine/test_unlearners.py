"""The bases: what an author gets for writing only what the method is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.core.models import FitTask, Fitted, Seeds
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Records, Step, TrainingSet
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.training import TrainingJob
from unlearnbench.core.unlearners import CountsPasses, State, Unlearner
from unlearnbench.engine.querying import Ensemble
from unlearnbench.engine.unlearners import Deletion, ExactUnlearner, FunctionUnlearner

if TYPE_CHECKING:
    from tests.conftest import Spy, SpyFitted


TRAIN, SERVE = SeedPath(7) / "train", SeedPath(7) / "serve"


def step(forget: Sequence[int] = (), add: Sequence[int] = ()) -> Step:
    return Step(np.array(forget, dtype=np.int64), np.array(add, dtype=np.int64))


REQUESTS = [
    Request((step([0]),)),
    Request((step([1]), step([2], [30]), step([30]))),
    Request((step([3, 4]), step([5]))),
]


class Again(ExactUnlearner):
    """Retrains with the seeds of the version."""

    def jobs(self, original: Original, steps: Sequence[Step], seeds: SeedPath) -> list[TrainingJob]:
        data = original.data
        for served in steps:
            data = data.after(served)
        return [TrainingJob(data, Seeds.at(seeds))]


class Halves(ExactUnlearner):
    """Two models, by odd and even ids; a deletion retrains the one that it concerns."""

    def jobs(self, original: Original, steps: Sequence[Step], seeds: SeedPath) -> list[TrainingJob]:
        jobs = []
        for half in (0, 1):
            part = original.data.select(original.data.ids % 2 == half)
            for served in steps:
                own = Step(*(ids[ids % 2 == half] for ids in (served.forget, served.add)))
                part = part.after(own) if len(own.forget) or len(own.add) else part
            jobs.append(TrainingJob(part, Seeds.at(original.seeds / half)))
        return jobs

    def weights(self, jobs: Sequence[TrainingJob]) -> list[float]:
        return [float(len(job.data)) for job in jobs]


class Shrink(FunctionUnlearner):
    """Writes down what it is given, and answers with the model it was given."""

    def __init__(self) -> None:
        self.calls: list[Deletion] = []

    def unlearn(self, deletion: Deletion) -> Copy:
        self.calls.append(deletion)
        return Copy(deletion.fitted)


class Copy:
    def __init__(self, fitted: Fitted) -> None:
        self.fitted = fitted

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.fitted.log_posteriors(x)


UNLEARNERS: list[type[Unlearner]] = [Again, Halves, Shrink]


@pytest.fixture
def data(records: Records) -> TrainingSet:
    return TrainingSet.of(records, np.arange(20))


def task_of(state: State) -> FitTask:
    """Return the task that a spy was trained on."""
    return cast("SpyFitted", state.fitted).task


def answers(chains: Sequence[Sequence[State]], x: NDArray[np.float64]) -> list[list[NDArray[np.float64]]]:
    return [[state.fitted.log_posteriors(x) for state in chain] for chain in chains]


@pytest.mark.parametrize("unlearner", UNLEARNERS)
def test_all_at_once_equals_one_by_one(unlearner: type[Unlearner], spy: type[Spy], data: TrainingSet) -> None:
    def prepare() -> tuple[Unlearner, State]:
        method = unlearner()
        return method, method.prepare(Original(spy(), data, TRAIN))

    method, state = prepare()
    together = answers(method.serve_all(state, REQUESTS, SERVE), data.records.x)
    assert [len(chain) for chain in together] == [1, 3, 2]
    for r, request in enumerate(REQUESTS):
        method, state = prepare()
        for v, served in enumerate(request.steps):
            state = method.serve(state, served, SERVE / r / (v + 1))
            assert np.array_equal(state.fitted.log_posteriors(data.records.x), together[r][v])


@pytest.mark.parametrize("unlearner", UNLEARNERS)
def test_a_state_stays_as_it_was_however_often_it_is_served(
    unlearner: type[Unlearner], spy: type[Spy], data: TrainingSet
) -> None:
    method = unlearner()
    state = method.prepare(Original(spy(), data, TRAIN))
    before = dict(vars(state)), state.fitted.log_posteriors(data.records.x)
    method.serve_all(state, REQUESTS, SERVE)
    method.serve(state, step([7]), SERVE / 9 / 1)
    assert vars(state) == before[0]
    assert np.array_equal(state.fitted.log_posteriors(data.records.x), before[1])


@pytest.mark.parametrize("unlearner", UNLEARNERS)
def test_requests_branch_off_the_original_and_do_not_meet(
    unlearner: type[Unlearner], spy: type[Spy], data: TrainingSet
) -> None:
    method = unlearner()
    state = method.prepare(Original(spy(("init",)), data, TRAIN))
    alone = answers(method.serve_all(state, REQUESTS[:1], SERVE), data.records.x)
    among_others = answers(method.serve_all(state, REQUESTS, SERVE), data.records.x)
    assert np.array_equal(alone[0][0], among_others[0][0])


@pytest.mark.parametrize("unlearner", UNLEARNERS)
def test_the_state_of_another_kind_of_unlearner_is_refused(
    unlearner: type[Unlearner], spy: type[Spy], data: TrainingSet
) -> None:
    foreign = (Again if unlearner is Shrink else Shrink)().prepare(Original(spy(), data, TRAIN))
    with pytest.raises(TypeError, match="serves its own states, got"):
        unlearner().serve(foreign, step([0]), SERVE)


def test_all_versions_of_all_requests_are_trained_in_one_go(spy: type[Spy], data: TrainingSet) -> None:
    model = spy()
    method = Again()
    method.serve_all(method.prepare(Original(model, data, TRAIN)), REQUESTS, SERVE)
    assert [len(batch) for batch in model.batches] == [1, 6]


def test_every_version_is_trained_on_what_its_request_left_by_then(spy: type[Spy], data: TrainingSet) -> None:
    method = Again()
    chains = method.serve_all(method.prepare(Original(spy(), data, TRAIN)), REQUESTS, SERVE)
    left = [[set(task_of(state).data.kept_ids) for state in chain] for chain in chains]
    everyone = set(range(20))
    assert left == [
        [everyone - {0}],
        [everyone - {1}, everyone - {1, 2} | {30}, everyone - {1, 2}],
        [everyone - {3, 4}, everyone - {3, 4, 5}],
    ]


def test_versions_have_seeds_of_their_own(spy: type[Spy], data: TrainingSet) -> None:
    method = Again()
    state = method.prepare(Original(spy(), data, TRAIN))
    chains = method.serve_all(state, REQUESTS, SERVE)
    seeds = [task_of(state).seeds, *(task_of(later).seeds for chain in chains for later in chain)]
    assert seeds[0] == Seeds.at(TRAIN)
    assert seeds[3] == Seeds.at(SERVE / 1 / 2)
    assert len(set(seeds)) == 7


def test_what_a_request_leaves_alone_is_not_trained_again(spy: type[Spy], data: TrainingSet) -> None:
    model, method = spy(), Halves()
    state = method.prepare(Original(model, data, TRAIN))
    ((version,),) = method.serve_all(state, [Request((step([4]),))], SERVE)
    assert len(model.tasks) == 3
    assert isinstance(state.fitted, Ensemble)
    assert isinstance(version.fitted, Ensemble)
    assert version.fitted.parts[1] is state.fitted.parts[1]
    assert version.fitted.parts[0] is not state.fitted.parts[0]


def test_several_jobs_answer_together_by_their_weights(spy: type[Spy], data: TrainingSet) -> None:
    method = Halves()
    fitted = method.serve(method.prepare(Original(spy(), data, TRAIN)), step([0, 2, 4, 6]), SERVE).fitted
    assert isinstance(fitted, Ensemble)
    even, odd = (np.exp(part.log_posteriors(data.records.x)) for part in fitted.parts)
    assert fitted.weights == (6.0, 10.0)
    np.testing.assert_allclose(np.exp(fitted.log_posteriors(data.records.x)), (6 * even + 10 * odd) / 16)


def test_a_function_gets_the_model_what_is_left_what_goes_and_draws_of_its_own(
    spy: type[Spy], data: TrainingSet
) -> None:
    method = Shrink()
    state = method.prepare(Original(spy(), data, TRAIN))
    method.serve_all(state, REQUESTS, SERVE)
    assert [call.forget.ids.tolist() for call in method.calls] == [[0], [1], [3, 4], [2], [5], [30]]
    assert [len(call.retain) for call in method.calls] == [19, 19, 18, 19, 17, 18]
    assert all(not set(call.retain.kept_ids) & set(call.forget.ids) for call in method.calls)
    assert len({call.seeds.rng().random() for call in method.calls}) == 6
    given = [call.fitted for call in method.calls]
    assert given[0] is given[1] is given[2] is state.fitted
    assert isinstance(given[3], Copy)
    assert given[3].fitted is state.fitted


def test_function_and_exact_unlearners_start_from_the_same_original(spy: type[Spy], data: TrainingSet) -> None:
    exact, function = (kind().prepare(Original(spy(), data, TRAIN)).fitted for kind in (Again, Shrink))
    assert np.array_equal(exact.log_posteriors(data.records.x), function.log_posteriors(data.records.x))


def test_a_function_gets_the_original_with_the_parameters_of_its_model(spy: type[Spy], data: TrainingSet) -> None:
    method, original = Shrink(), Original(spy(), data, TRAIN, validation_ids=np.array([40, 41]))
    method.serve_all(method.prepare(original), REQUESTS, SERVE)
    assert {call.original for call in method.calls} == {original}
    assert original.validation.ids.tolist() == [40, 41]


def test_what_all_requests_need_is_computed_once_per_original(spy: type[Spy], data: TrainingSet) -> None:
    class Mean(Shrink):
        computed = 0

        def precompute(self, original: Original) -> object:
            self.computed += 1
            return original.fitted.log_posteriors(original.data.x).mean()

    method = Mean()
    method.serve_all(method.prepare(Original(spy(), data, TRAIN)), REQUESTS, SERVE)
    assert method.computed == 1
    assert len({call.precomputed for call in method.calls}) == 1


# --- what a version cost


def passes(method: Unlearner, original: Original) -> list[list[float]]:
    chains = method.serve_all(method.prepare(original), REQUESTS, SERVE)
    return [[cast("CountsPasses", state).passes for state in chain] for chain in chains]


def test_a_retraining_costs_one_in_every_version(spy: type[Spy], data: TrainingSet) -> None:
    assert passes(Again(), Original(spy(), data, TRAIN)) == [[1], [1, 1, 1], [1, 1]]


def test_only_what_was_not_trained_before_counts(spy: type[Spy], data: TrainingSet) -> None:
    """Records 3 and 4 are of either half, 5 is an odd one, 30 comes and goes with the even ones."""
    found = passes(Halves(), Original(spy(), data, TRAIN))
    n, odd = len(data), int((data.ids % 2).sum())
    even = n - odd
    assert found[0] == [(even - 1) / (n - 1)]
    assert found[1] == [(odd - 1) / (n - 1), even / (n - 1), (even - 1) / (n - 2)]
    assert found[2] == [(n - 2) / (n - 2), (odd - 2) / (n - 3)]


def test_one_by_one_costs_what_it_costs_together(spy: type[Spy], data: TrainingSet) -> None:
    method = Halves()
    state = method.prepare(Original(spy(), data, TRAIN))
    alone = []
    for v, served in enumerate(REQUESTS[1].steps):
        state = method.serve(state, served, SERVE / 1 / (v + 1))
        alone.append(state.passes)
    assert alone == passes(Halves(), Original(spy(), data, TRAIN))[1]


def test_a_loop_of_ones_own_is_not_counted_unless_it_tells(spy: type[Spy], data: TrainingSet) -> None:
    class Tells(Shrink):
        def record_passes(self, deletion: Deletion) -> float:
            return 0.1 * len(deletion.forget)

    original = Original(spy(), data, TRAIN)
    assert np.isnan([each for chain in passes(Shrink(), original) for each in chain]).all()
    assert passes(Tells(), original) == [[0.1], [0.1, 0.1, 0.1], [0.2, 0.1]]
