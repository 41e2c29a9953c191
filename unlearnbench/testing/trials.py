"""Models with records that they accept, for the checks of unlearners and models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Fitted, Seeds, TargetModel
from unlearnbench.core.posteriors import fault_of
from unlearnbench.core.records import Records, TrainingSet
from unlearnbench.hooks.parameters import build, parameters
from unlearnbench.hooks.registry import Registered
from unlearnbench.testing.samples import blobs, everything

SHAPES: Final = ((4,), (8, 8))
"""Shapes of a record: a row of features, or an image for models that accept only images."""

SMALL: Final[dict[str, Any]] = {"hidden": [8], "epochs": 2, "n_estimators": 5}
"""Parameter values for fast training, for models that have these parameters."""

Make = Callable[..., Records]


def train(model: TargetModel, data: TrainingSet, seeds: Seeds) -> Fitted:
    """Train one model by its plain ``fit``."""
    return model.fit(FitTask(data, seeds), "cpu")


def maker_for(model: TargetModel) -> Make:
    """Return a function that makes records of a shape that the model accepts; its UserError if there is none."""

    def make(shape: tuple[int, ...]) -> Make:
        return lambda n=60, n_classes=3, seed=0: blobs(n, n_classes, shape, seed)

    for shape in SHAPES[:-1]:
        try:
            train(model, everything(make(shape)()), Seeds(1, 2, 3))
        except UserError:
            continue
        return make(shape)
    train(model, everything(make(SHAPES[-1])()), Seeds(1, 2, 3))
    return make(SHAPES[-1])


def small(registered: Registered) -> TargetModel:
    """Make a model that trains fast."""
    known = {parameter.name for parameter in parameters(registered.load())}
    made = build(registered, {name: value for name, value in SMALL.items() if name in known})
    assert isinstance(made, TargetModel)  # noqa: S101 - for the type checker; the registry says so
    return made


def wrong_answer(answer: object, *shape: int) -> Iterator[str]:
    """Yield the problems of log-posteriors, which must be float64 of this shape (n, n_classes)."""
    given = np.asarray(answer)
    if fault := fault_of(given, shape):
        yield f"log-posteriors are wrong: {fault}"
    elif given.dtype != np.float64:
        yield f"log-posteriors are {given.dtype}, not float64"
