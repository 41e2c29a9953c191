"""Requirements of target models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Seeds, TargetModel
from unlearnbench.core.options import DPSGD, TrainingOptions
from unlearnbench.core.records import Order, Records, Step, TrainingSet
from unlearnbench.testing import abilities
from unlearnbench.testing.abilities import SEEDS
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import cases, check
from unlearnbench.testing.process import process_check
from unlearnbench.testing.samples import alike, copies, doubled, everything
from unlearnbench.testing.trials import train, wrong_answer

OPTIONS: Final = {"dp": TrainingOptions(dp=DPSGD(1.0, 1.0, 1e-5)), "dropout": TrainingOptions(dropout=0.5)}


@check("Return natural-log posteriors, float64: see unlearnbench.core.posteriors for log_of and log_softmax.")
def returns_log_posteriors(subject: Subject) -> Iterator[str]:
    """Each record gets finite, normalized log-posteriors."""
    records = subject.records()
    yield from wrong_answer(train(subject.made, everything(records), SEEDS).log_posteriors(records.x), 60, 3)


@check("Draw from `task.seeds`, and from nothing else.")
def same_seeds_same_model(subject: Subject) -> Iterator[str]:
    """Training twice with the same seeds gives bitwise the same posteriors."""
    records = subject.records()
    first, second = (train(subject.made, everything(records), SEEDS).log_posteriors(records.x) for _ in range(2))
    if not np.array_equal(first, second):
        yield "the same records and seeds give a different model"


def _train_and_ask(subject: Subject) -> None:
    records = subject.records()
    train(subject.made, everything(records), SEEDS).log_posteriors(records.x)


leaves_the_process = process_check(_train_and_ask)


@check("Work on copies of `task.data.x` and of the argument of `log_posteriors`.")
def inputs_stay_as_they_were(subject: Subject) -> Iterator[str]:
    """Neither training nor querying changes the records."""
    records = subject.records()
    before = copies(records)
    train(subject.made, everything(records), SEEDS).log_posteriors(records.x)
    if not alike(before, copies(records)):
        yield "the records have changed"


@check("Compute each record's posteriors independently, without statistics of the batch.")
def posteriors_do_not_depend_on_the_batch(subject: Subject) -> Iterator[str]:
    """A record has the same posteriors alone and in a batch, up to rounding."""
    records = subject.records()
    fitted = train(subject.made, everything(records), SEEDS)
    alone = np.concatenate([fitted.log_posteriors(records.x[[row]]) for row in range(10)])
    if not np.allclose(alone, fitted.log_posteriors(records.x)[:10], atol=1e-4):  # of float32 products
        yield "posteriors depend on the other records of the batch"


@check("Train each task of `fit_many` by its own records and seeds; no sum may depend on other tasks.")
def fit_many_trains_each_task_independently(subject: Subject) -> Iterator[str]:
    """`fit_many` gives the same model, bitwise, whichever others are trained with it."""
    records = subject.records()
    data = everything(records)
    after = data.after(Step(np.array([3])), max(subject.made.orders))  # slot, where the model supports it
    tasks = [FitTask(data, SEEDS), FitTask(after, SEEDS), FitTask(data, Seeds(4, 5, 6))]
    together = [fitted.log_posteriors(records.x) for fitted in subject.made.fit_many(tasks, "cpu")]
    if len(together) != len(tasks):
        yield f"{len(tasks)} tasks give {len(together)} models"
        return
    for i, task in enumerate(tasks):
        (alone,) = subject.made.fit_many([task], "cpu")
        if not np.array_equal(alone.log_posteriors(records.x), together[i]):
            yield f"task {i + 1} of {len(tasks)} gives a different model when it is trained alone"


@check("Name in `seeds_used` every seed that you draw from: models that differ only in others are trained once.")
def seeds_used_is_complete(subject: Subject) -> Iterator[str]:
    """A seed that is not declared has no influence."""
    records = subject.records()
    answer = train(subject.made, everything(records), SEEDS).log_posteriors(records.x)
    for unused in sorted({"init", "order", "noise"} - subject.made.seeds_used):
        other = replace(SEEDS, **{unused: 777})
        if not np.array_equal(train(subject.made, everything(records), other).log_posteriors(records.x), answer):
            yield f"the seed {unused}, which `seeds_used` does not name, changes the model"


def _with_changed_row(records: Records, row: int) -> Records:
    x, y = records.x.copy(), records.y.copy()
    x[row], y[row] = min(records.bounds or [-1e6]), (y[row] + 1) % records.n_classes
    return replace(records, x=x, y=y)


@check("Learn from `task.data.x` and `.y`, which leave deleted records out; else leave the order out of `orders`.")
def a_deleted_record_has_no_influence(subject: Subject) -> Iterator[str]:
    """Under each of its `orders`, the values of a deleted record have no influence."""
    records = subject.records()
    for order in sorted(subject.made.orders):
        first, second = (
            train(subject.made, _without(each, 5, order), SEEDS).log_posteriors(records.x)
            for each in (records, _with_changed_row(records, 5))
        )
        if not np.array_equal(first, second):
            yield f"under order {order}, the values of a deleted record change the model"


def _without(records: Records, row: int, order: Order) -> TrainingSet:
    """Return all records but one; the original, whose statistics may scale features, does not contain it either."""
    step = Step(np.array([row]))
    reference = replace(everything(records).after(step, "compact"), reference=None)
    return replace(everything(records).after(step, order), reference=reference)


@check("Name in `options` only what `fit` supports, and set `continues` only if it continues from `task.start`.")
def options_have_an_effect(subject: Subject) -> Iterator[str]:
    """Each declared option works and changes the model."""
    records = subject.records()
    plain = FitTask(everything(records), SEEDS)
    fitted = subject.made.fit(plain, "cpu")
    ways = {name: replace(plain, options=OPTIONS[name]) for name in sorted(subject.made.options)}
    if subject.made.continues:
        ways["start"] = replace(plain, start=fitted)
    for name, task in ways.items():
        answer = subject.made.fit(task, "cpu").log_posteriors(records.x)
        yield from wrong_answer(answer, 60, 3)
        if np.array_equal(answer, fitted.log_posteriors(records.x)):
            yield f"{name} has no effect"


@check("Give every class of the data set a column (unlearnbench.core.posteriors.spread_classes), learned or not.")
def edge_cases(subject: Subject) -> Iterator[str]:
    """Two and thirty classes, a missing class, one class, one record, duplicates and a constant feature work."""
    make = subject.records
    plain = make()
    constant = replace(plain, x=np.where(np.arange(plain.x.shape[-1]) == 0, 0.1, plain.x))
    data = {
        "two classes": everything(make(60, 2)),
        "thirty classes": everything(make(120, 30)),
        "one class is missing": TrainingSet.of(plain, np.flatnonzero(plain.y != 1)),
        "one class only": TrainingSet.of(plain, np.flatnonzero(plain.y == 2)),
        "one record": TrainingSet.of(plain, [4]),
        "every record twice": everything(doubled(make(30))),
        "a constant feature": everything(constant),
    }
    yield from cases({name: _querying_all(subject.made, each) for name, each in data.items()})
    yield from cases({"no record": lambda: _empty(subject.made, plain)})


def _querying_all(model: TargetModel, data: TrainingSet) -> Callable[[], Iterator[str]]:
    x = data.records.x
    return lambda: wrong_answer(train(model, data, SEEDS).log_posteriors(x), len(x), data.n_classes)


def _empty(model: TargetModel, records: Records) -> Iterator[str]:
    try:
        train(model, TrainingSet.of(records, []), SEEDS)
    except UserError:
        return
    yield "training on no record must raise UserError"


CHECKS: Final = (
    returns_log_posteriors,
    same_seeds_same_model,
    leaves_the_process,
    inputs_stay_as_they_were,
    posteriors_do_not_depend_on_the_batch,
    fit_many_trains_each_task_independently,
    seeds_used_is_complete,
    a_deleted_record_has_no_influence,
    options_have_an_effect,
    edge_cases,
    *abilities.CHECKS,
)
