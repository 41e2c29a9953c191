"""What is asked of every unlearner."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import TargetModel
from unlearnbench.core.records import Records, Step, TrainingSet
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import State, Unlearner
from unlearnbench.engine.reference import WithoutFastPath
from unlearnbench.engine.unlearners import FunctionUnlearner
from unlearnbench.hooks.records import UnlearnerPlugin
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import cases, check
from unlearnbench.testing.samples import alike, copies, doubled, garbled, moves_global_generators
from unlearnbench.testing.trials import Make, maker_for, small, wrong_answer

TRAIN, SERVE = SeedPath(2) / "train", SeedPath(2) / "serve"
TRAINED: Final = 40  # of the 60 records of a sample; the others can be added


def _request(*steps: tuple[Sequence[int], Sequence[int]]) -> Request:
    return Request(tuple(Step(np.array(f, dtype=np.int64), np.array(a, dtype=np.int64)) for f, a in steps))


ONE: Final = _request(([0], []))
REQUESTS: Final = [ONE, _request(([1], []), ([7], [])), _request(([3, 4, 5], []))]


@dataclass(frozen=True)
class Home:
    """A model that an unlearner goes with, as it stands and as its plain ``fit`` trains it, and its records."""

    name: str
    model: TargetModel
    plain: TargetModel
    make: Make

    def data(self) -> TrainingSet:
        """Return forty records of sixty, in an order of their own."""
        return TrainingSet.of(self.make(), np.random.default_rng(1).permutation(TRAINED))


@lru_cache(maxsize=1)  # all checks of one unlearner share them
def _homes(subject: Subject) -> tuple[Home, ...]:
    models = ((registered.name, small(registered)) for registered in subject.models)
    return tuple(
        Home(name, model, WithoutFastPath(model), maker_for(model))
        for name, model in models
        if subject.made.refusal(model) is None
    )


def _home(subject: Subject) -> Home:
    for home in _homes(subject):
        return home
    raise LookupError("it goes with no model that is known here")


def _serve(unlearner: Unlearner, model: TargetModel, data: TrainingSet, requests: list[Request]) -> list[list[State]]:
    state = unlearner.prepare(model, data, TRAIN, "cpu")
    return [list(chain) for chain in unlearner.serve_all(state, requests, SERVE)]


def _answers(chains: list[list[State]], records: Records) -> list[NDArray[np.float64]]:
    return [version.fitted.log_posteriors(records.x) for chain in chains for version in chain]


@check("Override `refusal(model)`: return in a line why a model does not go with this unlearner, else None.")
def works_with_models_it_does_not_refuse(subject: Subject) -> Iterator[str]:
    """Every model that it does not refuse can be unlearned and answers; there is one at least."""

    def trial(home: Home) -> Callable[[], Iterator[str]]:
        def look() -> Iterator[str]:
            data = home.data()
            for model in (home.model, home.plain):  # the fast engine's and the reference's
                for answer in _answers(_serve(subject.made, model, data, [ONE]), data.records):
                    yield from wrong_answer(answer, 60, 3)

        return look

    homes = _homes(subject)
    if not homes:
        yield f"all of these models are refused: {', '.join(model.name for model in subject.models)}"
    yield from cases({home.name: trial(home) for home in homes})


@check("Return one state for every step of every request.")
def gives_a_version_for_every_step(subject: Subject) -> Iterator[str]:
    """Requests of one step and of two give one version and two."""
    home = _home(subject)
    lengths = [len(chain) for chain in _serve(subject.made, home.plain, home.data(), REQUESTS)]
    if lengths != [1, 2, 1]:
        yield f"requests of 1, 2 and 1 steps give {lengths} versions"


@check("Draw from the seeds or the `rng` that you are handed, and from nothing else.")
def same_seeds_same_answers(subject: Subject) -> Iterator[str]:
    """Run twice with the same seeds, it answers the same to the bit."""
    home = _home(subject)
    data = home.data()
    first, second = (_answers(_serve(subject.made, home.plain, data, REQUESTS), data.records) for _ in range(2))
    if not alike(first, second):
        yield "the same records and seeds give other answers"


@check("Draw from the seeds or the `rng` that you are handed; never seed numpy or torch as a whole.")
def leaves_global_generators_alone(subject: Subject) -> Iterator[str]:
    """No global generator moves."""
    home = _home(subject)
    if moves_global_generators(lambda: _serve(subject.made, home.plain, home.data(), [ONE])):
        yield "a global random generator has moved"


@check("Let a request start from the original's state; keep nothing of one request for the next.")
def requests_do_not_touch_each_other(subject: Subject) -> Iterator[str]:
    """All requests at once, and one after the other from a state of their own, give the same answers."""
    home = _home(subject)
    data = home.data()
    together = _answers(_serve(subject.made, home.plain, data, REQUESTS), data.records)
    alone = []
    for r, request in enumerate(REQUESTS):
        state = subject.made.prepare(home.plain, data, TRAIN, "cpu")
        for v, step in enumerate(request.steps, start=1):
            state = subject.made.serve(state, step, SERVE / r / v)
            alone.append(state.fitted.log_posteriors(data.records.x))
    if not alike(together, alone):
        yield "a request served among others gives another model than alone"


@check("Copy before you change: `copy.deepcopy(fitted.module)`, `array.copy()`.")
def inputs_stay_as_they_were(subject: Subject) -> Iterator[str]:
    """Serving leaves the original and the records as they were."""
    home = _home(subject)
    data = home.data()
    before = copies(data.records)
    state = subject.made.prepare(home.plain, data, TRAIN, "cpu")
    original = state.fitted.log_posteriors(data.records.x)
    subject.made.serve_all(state, REQUESTS, SERVE)
    if not np.array_equal(state.fitted.log_posteriors(data.records.x), original):
        yield "the original answers otherwise once a request is served"
    if not alike(before, copies(data.records)):
        yield "the records have changed"


@check("Name in the record's `sees` all that `unlearn` looks at.")
def sees_what_it_declares(subject: Subject) -> Iterator[str]:
    """What a function of model, retain set and forget set does not declare to see can hold anything."""
    record = subject.registered.plugin
    assert isinstance(record, UnlearnerPlugin)  # noqa: S101 - for the type checker
    if not isinstance(subject.made, FunctionUnlearner):
        return  # what trains anew sees what it trains on
    home = _home(subject)
    records = home.data().records
    retain, forget = range(5, TRAINED), range(5)
    method: FunctionUnlearner = subject.made
    fitted = method.prepare(home.plain, home.data(), TRAIN, "cpu").fitted

    def answer(retained: Records, forgotten: Records) -> NDArray[np.float64]:
        sets = TrainingSet.of(retained, retain), TrainingSet.of(forgotten, forget)
        return method.unlearn(fitted, *sets, np.random.default_rng(0)).log_posteriors(records.x)

    other, relabelled = garbled(records), garbled(records, x=False)
    hidden = {
        "retain-set": (other, records),
        "forget-set": (records, other),
        "labels": (relabelled, relabelled),
    }
    plain = answer(records, records)
    for name in (name for name in hidden if name not in record.sees):
        if not np.array_equal(answer(*hidden[name]), plain):
            yield f"the answer changes with the {name}, which `sees` does not name"


@check("Serve it, or raise UserError with a line that says what would be right.")
def awkward_cases(subject: Subject) -> Iterator[str]:
    """Two classes and thirty, a class forgotten whole, nearly all forgotten, duplicates, added records: no trouble."""
    home = _home(subject)
    plain = home.make()
    class_of_ones = np.flatnonzero(plain.y[:TRAINED] == 1).tolist()
    by_name = {
        "two classes": (home.make(60, 2), ONE),
        "thirty classes": (home.make(240, 30), ONE),
        "a class forgotten whole": (plain, _request((class_of_ones, []))),
        "one record left": (plain, _request((list(range(1, TRAINED)), []))),
        "a record whose duplicate stays": (doubled(home.make(20)), ONE),
        "records added": (plain, _request(([0], [50, 51]), ([50], []))),
    }

    def look(records: Records, request: Request) -> Callable[[], Iterator[str]]:
        def served() -> Iterator[str]:
            data = TrainingSet.of(records, range(len(records) * 2 // 3))
            for answer in _answers(_serve(subject.made, home.plain, data, [request]), records):
                yield from wrong_answer(answer, len(records), records.n_classes)

        return served

    yield from cases({name: look(*each) for name, each in by_name.items()}, refusable=True)


CHECKS: Final = (
    works_with_models_it_does_not_refuse,
    gives_a_version_for_every_step,
    same_seeds_same_answers,
    leaves_global_generators_alone,
    requests_do_not_touch_each_other,
    inputs_stay_as_they_were,
    sees_what_it_declares,
    awkward_cases,
)
