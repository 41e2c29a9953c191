"""Each check of models lets a good one pass, and finds the one that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench import TargetModel, UserError, log_of, log_softmax
from unlearnbench.core.models import FitTask, Fitted
from unlearnbench.core.records import TrainingSet
from unlearnbench.testing import checks_of

if TYPE_CHECKING:
    from tests.testing.conftest import Found


@dataclass
class Shares:
    """Answers everybody with class shares (n_classes,), tilted by the first feature."""

    shares: np.ndarray

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return log_softmax(np.log(self.shares) + np.tanh(x[:, :1] / 50) * np.arange(len(self.shares)))


def shares(task: FitTask) -> NDArray[np.float64]:
    if not len(task.data):
        raise UserError("no record left")
    return np.asarray((np.bincount(task.data.y, minlength=task.data.n_classes) + 1) / (len(task.data) + 1))


class Good(TargetModel):
    seeds_used: ClassVar = frozenset()

    def fit(self, task: FitTask, device: str) -> Fitted:
        return Shares(shares(task))


class Probabilities(Good):
    def fit(self, task: FitTask, device: str) -> Fitted:
        return Answers(super().fit(task, device), np.exp)


@dataclass
class Answers:
    fitted: Fitted
    change: Callable[[NDArray[np.float64]], NDArray[np.float64]]

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.change(self.fitted.log_posteriors(x))


class Unseeded(Good):
    def fit(self, task: FitTask, device: str) -> Fitted:
        return Shares(shares(task) + np.random.default_rng().random(task.data.n_classes))


class GlobalDraws(Good):
    def fit(self, task: FitTask, device: str) -> Fitted:
        np.random.random()  # noqa: NPY002 - that is what is wrong
        return super().fit(task, device)


class InPlace(Good):
    def fit(self, task: FitTask, device: str) -> Fitted:
        task.data.records.x[0] += 1
        return super().fit(task, device)


class OfTheBatch(Good):
    def fit(self, task: FitTask, device: str) -> Fitted:
        return Answers(super().fit(task, device), lambda answer: log_of(np.exp(answer) * 0 + np.exp(answer).mean(0)))


class InCompany(Good):
    def fit_many(self, tasks: Sequence[FitTask], device: str) -> Sequence[Fitted]:
        return [Shares(shares(task) ** len(tasks)) for task in tasks]


class SecretSeed(Good):
    def fit(self, task: FitTask, device: str) -> Fitted:
        return Shares(shares(task) + task.seeds.order % 7)


class LearnsFromTheDeleted(Good):
    def fit(self, task: FitTask, device: str) -> Fitted:
        y = task.data.records.y[task.data.ids]
        return Shares(np.bincount(y, minlength=task.data.n_classes) + 1.0)


class NeverContinues(Good):
    continues: ClassVar = True


class NoDropout(Good):
    options: ClassVar = frozenset({"dropout"})


class ThreeClassesOnly(Good):
    def fit(self, task: FitTask, device: str) -> Fitted:
        super().fit(task, device)
        return Shares(np.bincount(task.data.y) + 1.0)


class TakesNothing(Good):
    def fit(self, task: FitTask, device: str) -> Fitted:
        return Shares(np.bincount(task.data.y, minlength=task.data.n_classes) + 1.0)


class ClaimsAModule(Good):
    has_module: ClassVar = True


class ClaimsALog(Good):
    logs: ClassVar = True


class CannotMove(Good):
    decremental: ClassVar = True


class MovesNowhere(Good):
    decremental: ClassVar = True

    def fit(self, task: FitTask, device: str) -> Fitted:
        return Stays(super().fit(task, device))


@dataclass
class Stays:
    fitted: Fitted

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.fitted.log_posteriors(x)

    def moved_to(self, data: TrainingSet) -> Fitted:
        return self


BROKEN = [
    (CannotMove, "moved-to-is-a-refit"),
    (MovesNowhere, "moved-to-is-a-refit"),
    (ClaimsAModule, "the-module-is-the-model"),
    (ClaimsALog, "logs-every-step"),
    (Probabilities, "returns-log-posteriors"),
    (Unseeded, "same-seeds-same-model"),
    (GlobalDraws, "leaves-the-process-as-it-was"),
    (InPlace, "inputs-stay-as-they-were"),
    (OfTheBatch, "posteriors-do-not-depend-on-the-batch"),
    (InCompany, "fit-many-trains-each-task-independently"),
    (SecretSeed, "seeds-used-is-complete"),
    (LearnsFromTheDeleted, "a-deleted-record-has-no-influence"),
    (NeverContinues, "options-have-an-effect"),
    (NoDropout, "options-have-an-effect"),
    (ThreeClassesOnly, "edge-cases"),
    (TakesNothing, "edge-cases"),
]


def test_a_good_model_passes(found: Found) -> None:
    assert found("model", Good) == set()


@pytest.mark.parametrize(("cls", "check"), BROKEN)
def test_what_is_broken_is_found(cls: type[TargetModel], check: str, found: Found) -> None:
    assert check in found("model", cls)


def test_every_check_fails_for_one_of_these() -> None:
    assert {check for _, check in BROKEN} == {check.name for check in checks_of("model")}


def test_a_model_of_images_is_tried_with_images(found: Found) -> None:
    class OfImages(Good):
        def fit(self, task: FitTask, device: str) -> Fitted:
            if task.data.records.x.ndim != 3:
                raise UserError("needs images")
            return Flat(super().fit(task, device))

    assert found("model", OfImages) == set()


@dataclass
class Flat:
    fitted: Fitted

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.fitted.log_posteriors(x.reshape(len(x), -1))
