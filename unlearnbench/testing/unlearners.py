"""Requirements of unlearners."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import Engine, TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Records, Step, TrainingSet
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import State, Unlearner
from unlearnbench.engine.unlearners import FunctionUnlearner
from unlearnbench.hooks.records import UnlearnerPlugin
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import cases, check
from unlearnbench.testing.samples import alike, copies, doubled, garbled, moves_global_generators
from unlearnbench.testing.trials import Make, maker_for, small, wrong_answer

TRAIN, SERVE = SeedPath(2) / "train", SeedPath(2) / "serve"
TRAINED: Final = 40  # of the 60 records of a sample; the others can be added ...
VALIDATION: Final = 52  # ... but those from here on, which are for validation


def _request(*steps: tuple[Sequence[int], Sequence[int]]) -> Request:
    return Request(tuple(Step(np.array(f, dtype=np.int64), np.array(a, dtype=np.int64)) for f, a in steps))


ONE: Final = _request(([0], []))
REQUESTS: Final = [ONE, _request(([1], []), ([7], [])), _request(([3, 4, 5], []))]


@dataclass(frozen=True)
class Trial:
    """A model that an unlearner supports, with records that the model accepts."""

    name: str
    model: TargetModel
    make: Make
    """Makes records."""

    def original(self, engine: Engine = "reference", records: Records | None = None) -> Original:
        """Return an original of these records, or of sixty new ones: it is trained on forty, in random order."""
        records = records or self.make()
        trained = np.random.default_rng(1).permutation(TRAINED)
        others = np.arange(VALIDATION, len(records))
        return Original(self.model, TrainingSet.of(records, trained), TRAIN, engine=engine, validation_ids=others)


@lru_cache(maxsize=1)  # all checks of one unlearner share them
def _trials(subject: Subject) -> tuple[Trial, ...]:
    models = ((registered.name, small(registered)) for registered in subject.models)
    return tuple(Trial(name, model, maker_for(model)) for name, model in models if subject.made.refusal(model) is None)


def _trial(subject: Subject) -> Trial:
    for trial in _trials(subject):
        return trial
    raise LookupError("it refuses all models")


def _serve(unlearner: Unlearner, original: Original, requests: list[Request]) -> list[list[State]]:
    return [list(chain) for chain in unlearner.serve_all(unlearner.prepare(original), requests, SERVE)]


def _answers(chains: list[list[State]], records: Records) -> list[NDArray[np.float64]]:
    return [version.fitted.log_posteriors(records.x) for chain in chains for version in chain]


@check("Override `refusal(model)`: return in one line why this unlearner cannot be used with a model, else None.")
def works_with_models_it_does_not_refuse(subject: Subject) -> Iterator[str]:
    """It works with every model that it does not refuse; there is at least one."""

    def case(trial: Trial) -> Callable[[], Iterator[str]]:
        def problems() -> Iterator[str]:
            for engine in get_args(Engine):
                original = trial.original(engine)
                for answer in _answers(_serve(subject.made, original, [ONE]), original.data.records):
                    yield from wrong_answer(answer, 60, 3)

        return problems

    trials = _trials(subject)
    if not trials:
        yield f"all of these models are refused: {', '.join(model.name for model in subject.models)}"
    yield from cases({trial.name: case(trial) for trial in trials})


@check("Return one state for every step of every request.")
def returns_a_version_for_every_step(subject: Subject) -> Iterator[str]:
    """Requests of one and of two steps give one and two versions."""
    trial = _trial(subject)
    lengths = [len(chain) for chain in _serve(subject.made, trial.original(), REQUESTS)]
    if lengths != [1, 2, 1]:
        yield f"requests of 1, 2 and 1 steps give {lengths} versions"


@check("Draw from the seeds of the arguments, and from nothing else.")
def same_seeds_same_model(subject: Subject) -> Iterator[str]:
    """Unlearning twice with the same seeds gives bitwise the same posteriors."""
    trial = _trial(subject)
    records = trial.make()
    first, second = (
        _answers(_serve(subject.made, trial.original(records=records), REQUESTS), records) for _ in range(2)
    )
    if not alike(first, second):
        yield "the same records and seeds give different posteriors"


@check("Draw from the seeds of the arguments; never seed numpy or torch globally.")
def leaves_global_generators_alone(subject: Subject) -> Iterator[str]:
    """No global random generator is used."""
    trial = _trial(subject)
    if moves_global_generators(lambda: _serve(subject.made, trial.original(), [ONE])):
        yield "a global random generator was used"


@check("Start each request from the original's state; keep nothing of one request for the next.")
def serves_each_request_independently(subject: Subject) -> Iterator[str]:
    """Requests give the same models when served together and when each is served from a new state."""
    trial = _trial(subject)
    records = trial.make()
    together = _answers(_serve(subject.made, trial.original(records=records), REQUESTS), records)
    alone = []
    for r, request in enumerate(REQUESTS):
        state = subject.made.prepare(trial.original(records=records))
        for v, step in enumerate(request.steps, start=1):
            state = subject.made.serve(state, step, SERVE / r / v)
            alone.append(state.fitted.log_posteriors(records.x))
    if not alike(together, alone):
        yield "a request gives a different model when it is served with others"


@check("Copy before you change: `copy.deepcopy(fitted.module)`, `array.copy()`.")
def inputs_stay_as_they_were(subject: Subject) -> Iterator[str]:
    """Serving changes neither the original nor the records."""
    trial = _trial(subject)
    original = trial.original()
    records = original.data.records
    before = copies(records)
    state = subject.made.prepare(original)
    first = [fitted.log_posteriors(records.x) for fitted in (original.fitted, state.fitted)]
    subject.made.serve_all(state, REQUESTS, SERVE)
    if not alike(first, [fitted.log_posteriors(records.x) for fitted in (original.fitted, state.fitted)]):
        yield "the original changes when a request is served"
    if not alike(before, copies(records)):
        yield "the records have changed"


@check("Name in the record's `sees` all that the method uses.")
def undeclared_data_have_no_influence(subject: Subject) -> Iterator[str]:
    """Data that the record's `sees` does not name do not change the unlearned model."""
    record = subject.registered.plugin
    assert isinstance(record, UnlearnerPlugin)  # noqa: S101 - for the type checker
    if not isinstance(subject.made, FunctionUnlearner):
        return  # other unlearners retrain; they use what they train on
    true = _trial(subject).original()
    forget = np.arange(5)

    def answer(records: Records) -> NDArray[np.float64]:
        # The fitted model is the one that was trained on the true records; all else is made of these.
        original = replace(true, data=TrainingSet.of(records, true.data.ids), source=true)
        state = subject.made.serve(subject.made.prepare(original), Step(forget), SERVE)
        return np.asarray(state.fitted.log_posteriors(true.data.records.x))

    plain = answer(true.data.records)
    hidden = {
        "retain-set": np.setdiff1d(true.data.ids, forget),
        "forget-set": forget,
        "validation-set": true.validation_ids,
        "labels": np.arange(len(true.data.records)),
    }
    for name, ids in ((name, ids) for name, ids in hidden.items() if name not in record.sees):
        if not np.array_equal(answer(garbled(true.data.records, ids, x=name != "labels")), plain):
            yield f"the posteriors change with the {name}, which `sees` does not name"


@check("Serve it, or raise UserError with a line that says what would be right.")
def edge_cases(subject: Subject) -> Iterator[str]:
    """Two and thirty classes, a whole class or nearly all records forgotten, duplicates and added records work."""
    trial = _trial(subject)
    plain = trial.make()
    class_of_ones = np.flatnonzero(plain.y[:TRAINED] == 1).tolist()
    by_name = {
        "two classes": (trial.make(60, 2), ONE),
        "thirty classes": (trial.make(240, 30), ONE),
        "a whole class forgotten": (plain, _request((class_of_ones, []))),
        "one record left": (plain, _request((list(range(1, TRAINED)), []))),
        "a record whose duplicate is retained": (doubled(trial.make(20)), ONE),
        "records added": (plain, _request(([0], [50, 51]), ([50], []))),
    }

    def case(records: Records, request: Request) -> Callable[[], Iterator[str]]:
        def problems() -> Iterator[str]:
            data = TrainingSet.of(records, range(len(records) * 2 // 3))
            original = Original(trial.model, data, TRAIN, engine="reference")
            for answer in _answers(_serve(subject.made, original, [request]), records):
                yield from wrong_answer(answer, len(records), records.n_classes)

        return problems

    yield from cases({name: case(*each) for name, each in by_name.items()}, refusable=True)


CHECKS: Final = (
    works_with_models_it_does_not_refuse,
    returns_a_version_for_every_step,
    same_seeds_same_model,
    leaves_global_generators_alone,
    serves_each_request_independently,
    inputs_stay_as_they_were,
    undeclared_data_have_no_influence,
    edge_cases,
)
