"""Requirements of unlearners."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import Engine
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Records, Step, TrainingSet
from unlearnbench.core.scenarios import Request
from unlearnbench.engine.unlearners import FunctionUnlearner
from unlearnbench.hooks.parameters import ParameterError, resolve
from unlearnbench.hooks.records import UnlearnerPlugin
from unlearnbench.testing import moving
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import cases, check
from unlearnbench.testing.process import process_check
from unlearnbench.testing.samples import alike, copies, doubled, garbled
from unlearnbench.testing.trials import wrong_answer
from unlearnbench.testing.unlearner_trials import (
    ONE,
    REQUESTS,
    SERVE,
    TRAIN,
    TRAINED,
    Trial,
    all_trials,
    answers_of,
    first_trial,
    request_of,
    served,
)


@check("Do what the problem says; where a model cannot be used, override `refusal(model)` and return why in one line.")
def works_with_models_it_does_not_refuse(subject: Subject) -> Iterator[str]:
    """It works with every model that it does not refuse; there is at least one."""

    def case(trial: Trial) -> Callable[[], Iterator[str]]:
        def problems() -> Iterator[str]:
            for engine in get_args(Engine):
                original = trial.original(engine)
                for answer in answers_of(served(subject.made, original, [ONE]), original.data.records):
                    yield from wrong_answer(answer, 60, 3)

        return problems

    trials = all_trials(subject)
    if not trials:
        yield f"all of these models are refused: {', '.join(model.name for model in subject.models)}"
    yield from cases({trial.name: case(trial) for trial in trials})


@check("Return one state for every step of every request.")
def returns_a_version_for_every_step(subject: Subject) -> Iterator[str]:
    """Requests of one and of two steps give one and two versions."""
    trial = first_trial(subject)
    lengths = [len(chain) for chain in served(subject.made, trial.original(), REQUESTS)]
    if lengths != [1, 2, 1]:
        yield f"requests of 1, 2 and 1 steps give {lengths} versions"


@check("Draw from the seeds of the arguments, and from nothing else.")
def same_seeds_same_model(subject: Subject) -> Iterator[str]:
    """Unlearning twice with the same seeds gives bitwise the same posteriors."""
    trial = first_trial(subject)
    records = trial.make()
    first, second = (
        answers_of(served(subject.made, trial.original(records=records), REQUESTS), records) for _ in range(2)
    )
    if not alike(first, second):
        yield "the same records and seeds give different posteriors"


leaves_the_process = process_check(lambda subject: served(subject.made, first_trial(subject).original(), [ONE]))


@check("Start each request from the original's state; keep nothing of one request for the next.")
def serves_each_request_independently(subject: Subject) -> Iterator[str]:
    """Requests give the same models when served together and when each is served from a new state."""
    trial = first_trial(subject)
    records = trial.make()
    together = answers_of(served(subject.made, trial.original(records=records), REQUESTS), records)
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
    trial = first_trial(subject)
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
    true = first_trial(subject).original()
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
    trial = first_trial(subject)
    plain = trial.make()
    class_of_ones = np.flatnonzero(plain.y[:TRAINED] == 1).tolist()
    by_name = {
        "two classes": (trial.make(60, 2), ONE),
        "thirty classes": (trial.make(240, 30), ONE),
        "a whole class forgotten": (plain, request_of((class_of_ones, []))),
        "one record left": (plain, request_of((list(range(1, TRAINED)), []))),
        "a record whose duplicate is retained": (doubled(trial.make(20)), ONE),
        "records added": (plain, request_of(([0], [50, 51]), ([50], []))),
    }

    def case(records: Records, request: Request) -> Callable[[], Iterator[str]]:
        def problems() -> Iterator[str]:
            data = TrainingSet.of(records, range(len(records) * 2 // 3))
            original = Original(trial.model, data, TRAIN, engine="reference")
            for answer in answers_of(served(subject.made, original, [request]), records):
                yield from wrong_answer(answer, len(records), records.n_classes)

        return problems

    yield from cases({name: case(*each) for name, each in by_name.items()}, refusable=True)


@check("Name in `knobs` parameters of the class, with values that it takes.")
def knobs_are_parameters_with_values_that_it_takes(subject: Subject) -> Iterator[str]:
    """It can be made with values from both ends and the middle of what its record names for tuning."""
    record = subject.registered.plugin
    assert isinstance(record, UnlearnerPlugin)  # noqa: S101 - for the type checker
    for name, values in record.knobs.items():
        for value in dict.fromkeys(values.at(share) for share in (0.0, 0.5, 1 - 1e-9)):
            try:
                resolve(subject.registered, {name: value})
            except ParameterError as error:
                yield str(error)


CHECKS: Final = (
    works_with_models_it_does_not_refuse,
    returns_a_version_for_every_step,
    same_seeds_same_model,
    leaves_the_process,
    inputs_stay_as_they_were,
    serves_each_request_independently,
    undeclared_data_have_no_influence,
    edge_cases,
    knobs_are_parameters_with_values_that_it_takes,
    *moving.CHECKS,
)
