"""Requirements of defenses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.arrays import read_only
from unlearnbench.core.defenses import Defense, ReleaseKeys
from unlearnbench.core.options import TrainingOptions
from unlearnbench.core.posteriors import log_of, log_softmax
from unlearnbench.core.records import Step
from unlearnbench.core.scenarios import Request
from unlearnbench.hooks.records import DefensePlugin
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import cases, check
from unlearnbench.testing.process import process_check
from unlearnbench.testing.samples import alike, copies, game
from unlearnbench.testing.trials import wrong_answer

Floats = NDArray[np.float64]


def _keys(n: int) -> ReleaseKeys:
    rows = np.arange(n)
    return ReleaseKeys(7, rows // 20, rows // 5 % 4, np.ones(n, dtype=np.int64), rows + 100)


def _take(keys: ReleaseKeys, rows: NDArray[np.int64]) -> ReleaseKeys:
    fields = ("episode", "request", "version", "record")
    return replace(keys, **{name: getattr(keys, name)[rows] for name in fields})


def _posteriors(n: int = 40, n_classes: int = 4) -> Floats:
    return read_only(game(n, n_classes, seed=1).before)


def _requests(n: int = 7, n_steps: int = 1) -> list[Request]:
    ids = np.arange(n * n_steps).reshape(n, n_steps, 1)
    return [Request(tuple(Step(step) for step in steps)) for steps in ids]


@check("Name the stage in the record, `training`, `publication` or `release`, and act at no other.")
def acts_at_its_stage_only(subject: Subject) -> Iterator[str]:
    """It acts only at the stage that its record names."""
    record, defense = subject.registered.plugin, subject.made
    assert isinstance(record, DefensePlugin)  # noqa: S101 - for the type checker
    requests, answers = _requests(), _posteriors()
    acts = {
        "training": bool(defense.training().used),
        "publication": list(defense.schedule(requests)) != requests,
        "release": not np.array_equal(defense.release(answers.copy(), _keys(len(answers))), answers),
    }
    for stage, does in acts.items():
        if does and stage != record.stage:
            yield f"it acts in {stage}, but its record says stage={record.stage!r}"


@check("Release one normalized row of log-posteriors for each input row.")
def releases_log_posteriors(subject: Subject) -> Iterator[str]:
    """Released log-posteriors have the input's shape and are finite and normalized."""
    answers = _posteriors()
    yield from wrong_answer(subject.made.release(answers, _keys(40)), *answers.shape)


@check("Key draws by `keys` (unlearnbench.core.seeding.keyed_uniforms, keyed_normals), never by the order of calls.")
def same_keys_same_release(subject: Subject) -> Iterator[str]:
    """Called twice with the same arguments, it returns the same."""
    first, second = (subject.made.release(_posteriors(), _keys(40)) for _ in range(2))
    if not np.array_equal(first, second):
        yield "the same posteriors and keys are released differently the second time"
    if subject.made.training() != subject.made.training():
        yield "the training options differ the second time"
    if not _same(subject.made.schedule(_requests()), subject.made.schedule(_requests())):
        yield "the same requests are scheduled differently the second time"


@check("Declare `keeps_label = False`, or release rows whose first largest log-posterior is the model's.")
def keeps_labels_if_it_says_so(subject: Subject) -> Iterator[str]:
    """If it declares `keeps_label`, every released row has the label of the model's answer, ties included."""
    rows = {
        "posteriors": _posteriors(200),
        "posteriors of two classes": _posteriors(200, n_classes=2),
        "nearly equal posteriors": log_softmax(1e-3 * _posteriors(200)),
        "tied posteriors": log_softmax(np.indices((3,) * 4).reshape(4, -1).T.astype(np.float64)),
    }
    for name, answers in rows.items():
        released = np.asarray(subject.made.release(answers.copy(), _keys(len(answers))))
        if subject.made.keeps_label and not np.array_equal(released.argmax(axis=1), answers.argmax(axis=1)):
            yield f"it declares keeps_label, and {name} are released with other labels"


def _release_and_schedule(subject: Subject) -> None:
    subject.made.release(_posteriors(), _keys(40))
    subject.made.schedule(_requests())
    subject.made.training()


leaves_the_process = process_check(_release_and_schedule)


@check("Release each row independently, keyed by its own `keys`: a row may be queried alone or in a batch.")
def releases_each_row_independently(subject: Subject) -> Iterator[str]:
    """A row is released the same alone, in another order and in a batch."""
    answers, keys = _posteriors(), _keys(40)
    released = subject.made.release(answers, keys)
    order = np.random.default_rng(0).permutation(40)
    for rows in (order, *(np.array([row]) for row in range(5))):
        if not np.allclose(subject.made.release(answers[rows], _take(keys, rows)), released[rows], atol=1e-9):
            yield "the release of a row depends on the other rows of the batch"
            return


@check("Key noise by all of seed, episode, request, version and record: shared noise cancels in a difference.")
def noise_is_new_for_every_version(subject: Subject) -> Iterator[str]:
    """Noise depends on the seed, the record and the version, if it depends on one of them."""
    answers, keys = _posteriors(), _keys(40)
    others = {
        "seed": replace(keys, seed=8),
        "record": replace(keys, record=keys.record + 1000),
        "version": replace(keys, version=keys.version + 1),
    }
    plain = subject.made.release(answers, keys)
    moved = {name: not np.array_equal(subject.made.release(answers, other), plain) for name, other in others.items()}
    if any(moved.values()):
        yield from (f"noise stays the same when the {name} changes" for name, does in moved.items() if not does)


@check("Return a new array, and new requests.")
def inputs_stay_as_they_were(subject: Subject) -> Iterator[str]:
    """Posteriors, keys and requests are not changed."""
    answers, keys, requests = _posteriors(), _keys(40), _requests()
    before = [answers.copy(), *copies(keys)]
    subject.made.release(answers, keys)
    subject.made.schedule(requests)
    if not alike(before, [answers, *copies(keys)]):
        yield "the posteriors or their keys have changed"
    if not _same(requests, _requests()):
        yield "the requests have changed"


@check("Serve every requested deletion, once.")
def no_deletion_is_lost(subject: Subject) -> Iterator[str]:
    """The scheduled requests delete the same records as the given ones, for one request or several."""
    for n, n_steps in ((7, 1), (1, 1), (6, 2)):
        scheduled = subject.made.schedule(_requests(n, n_steps))
        deleted = sorted(np.concatenate([request.forgotten for request in scheduled]).tolist()) if scheduled else []
        if deleted != list(range(n * n_steps)):
            yield f"of {n} requests with {n * n_steps} records, {len(set(deleted))} records are deleted"


@check("Return unlearnbench.core.options.TrainingOptions.")
def training_options_are_options(subject: Subject) -> Iterator[str]:
    """`training` returns a `TrainingOptions`."""
    if not isinstance(subject.made.training(), TrainingOptions):
        yield f"training() returns {type(subject.made.training()).__name__}"


@check("Floor zeros (log_of), break ties by the class number, and expect any number of classes.")
def edge_cases(subject: Subject) -> Iterator[str]:
    """Two and thirty classes, one row, no row, ties and posteriors of exactly 0 and 1 work."""
    tied = log_of(np.full((10, 4), 0.25))
    by_name = {
        "two classes": _posteriors(n_classes=2),
        "thirty classes": _posteriors(n_classes=30),
        "one row": _posteriors(1),
        "no row": _posteriors()[:0],
        "all classes tied": tied,
        "posteriors of exactly 0 and 1": log_of(np.eye(4)),
        "twice the same row": np.repeat(_posteriors(1), 5, axis=0),
    }
    yield from cases({name: _releasing(subject.made, answers) for name, answers in by_name.items()})


def _releasing(defense: Defense, answers: Floats) -> Callable[[], Iterator[str]]:
    return lambda: wrong_answer(defense.release(answers, _keys(len(answers))), *answers.shape)


def _same(one: Sequence[Request], other: Sequence[Request]) -> bool:
    return [_ids(request) for request in one] == [_ids(request) for request in other]


def _ids(request: Request) -> list[tuple[list[int], list[int]]]:
    return [(step.forget.tolist(), step.add.tolist()) for step in request.steps]


CHECKS: Final = (
    acts_at_its_stage_only,
    releases_log_posteriors,
    same_keys_same_release,
    leaves_the_process,
    inputs_stay_as_they_were,
    releases_each_row_independently,
    keeps_labels_if_it_says_so,
    noise_is_new_for_every_version,
    no_deletion_is_lost,
    training_options_are_options,
    edge_cases,
)
