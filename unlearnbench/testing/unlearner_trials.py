"""Unlearners tried on small models: what the checks of unlearners share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import Engine, TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Records, Step, TrainingSet
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import State, Unlearner
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.trials import Make, maker_for, small

TRAIN, SERVE = SeedPath(2) / "train", SeedPath(2) / "serve"
TRAINED: Final = 40  # of the 60 records of a sample; the others can be added ...
VALIDATION: Final = 52  # ... but those from here on, which are for validation


def request_of(*steps: tuple[Sequence[int], Sequence[int]]) -> Request:
    """Return a request of steps, each the ids to forget and those to add."""
    return Request(tuple(Step(np.array(f, dtype=np.int64), np.array(a, dtype=np.int64)) for f, a in steps))


ONE: Final = request_of(([0], []))
REQUESTS: Final = [ONE, request_of(([1], []), ([7], [])), request_of(([3, 4, 5], []))]


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
def all_trials(subject: Subject) -> tuple[Trial, ...]:
    """Return a trial for each model that an unlearner does not refuse."""
    models = ((registered.name, small(registered)) for registered in subject.models)
    return tuple(Trial(name, model, maker_for(model)) for name, model in models if subject.made.refusal(model) is None)


def first_trial(subject: Subject) -> Trial:
    """Return the trial that most checks use; LookupError where there is none."""
    for trial in all_trials(subject):
        return trial
    raise LookupError("it refuses all models")


def served(unlearner: Unlearner, original: Original, requests: list[Request]) -> list[list[State]]:
    """Return the versions of each request."""
    return [list(chain) for chain in unlearner.serve_all(unlearner.prepare(original), requests, SERVE)]


def answers_of(chains: list[list[State]], records: Records) -> list[NDArray[np.float64]]:
    """Return the log-posteriors of all versions, one request after the other."""
    return [version.fitted.log_posteriors(records.x) for chain in chains for version in chain]
