"""The checks of unlearners that change weights let good ones pass, and find each fault."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

import pytest

from unlearnbench import Deletion, Fitted, FunctionUnlearner, GradientUnlearner, HasModule, Optimizer, Pass, Stage, Term
from unlearnbench.core.models import TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.testing.moving import CHECKS

if TYPE_CHECKING:
    from tests.testing.conftest import Found


class OnlyPerceptrons(GradientUnlearner):
    """Refuses other models, which keeps these tests quick."""

    def refusal(self, model: TargetModel) -> str | None:
        return None if type(model).__name__ == "MLP" else "an mlp, please"


@dataclass(frozen=True)
class Climbs(OnlyPerceptrons):
    """Climbs the loss of the forget set."""

    learning_rate: float = 0.01
    sees: ClassVar[tuple[str, ...] | None] = ("forget-set", "labels")

    def stages(self, original: Original) -> Sequence[Stage]:
        return [Stage(Optimizer(self.learning_rate), [Pass([Term("forget", weight=-1.0)])])]


@dataclass(frozen=True)
class DeclaresLess(Climbs):
    """Declares less in its class than in its record."""

    sees: ClassVar[tuple[str, ...] | None] = ("forget-set",)


@dataclass(frozen=True)
class DeclaresNothing(Climbs):
    """Declares nothing in its class."""

    sees: ClassVar[tuple[str, ...] | None] = None


@dataclass(frozen=True)
class ReadsMore(Climbs):
    """Reads the retain set too."""

    def stages(self, original: Original) -> Sequence[Stage]:
        return [Stage(Optimizer(self.learning_rate), [Pass([Term("retain")])])]


class Shrinks(OnlyPerceptrons):
    """Shrinks all weights, whatever is to be forgotten."""

    sees: ClassVar[tuple[str, ...] | None] = ("forget-set", "labels")

    def edit(self, module: Any, deletion: Deletion) -> None:
        for weight in module.parameters():
            weight.data *= 0.9


@dataclass(frozen=True)
class MovesAtZero(FunctionUnlearner):
    """Adds weight decay to what the learning rate scales."""

    learning_rate: float = 0.01

    def refusal(self, model: TargetModel) -> str | None:
        return OnlyPerceptrons().refusal(model)

    def unlearn(self, deletion: Deletion) -> Fitted:
        fitted = cast(HasModule, deletion.fitted)
        module = copy.deepcopy(fitted.module)
        for weight in module.parameters():
            weight.data *= 0.99 - self.learning_rate
        return fitted.with_module(module)


@dataclass(frozen=True)
class TrainsTheTeacher(MovesAtZero):
    """Optimizes a copy, and returns another."""

    def unlearn(self, deletion: Deletion) -> Fitted:
        fitted = cast(HasModule, deletion.fitted)
        student, teacher = copy.deepcopy(fitted.module), copy.deepcopy(fitted.module)
        for weight in teacher.parameters():
            weight.data *= 1 - self.learning_rate
        return fitted.with_module(student)


SEES = ("forget-set", "labels")
BROKEN = [
    (DeclaresLess, "class-and-record-declare-the-same"),
    (DeclaresNothing, "class-and-record-declare-the-same"),
    (ReadsMore, "works-with-models-it-does-not-refuse"),
    (Shrinks, "without-a-retain-set-nothing-to-forget-changes-nothing"),
    (MovesAtZero, "a-learning-rate-of-zero-moves-nothing"),
    (TrainsTheTeacher, "a-learning-rate-above-zero-moves-the-network"),
]


@dataclass(frozen=True)
class EditsBetween(Climbs):
    """Shrinks the weights before its pass: an edit is exempt from what a learning rate of 0 moves."""

    sees: ClassVar[tuple[str, ...] | None] = ("forget-set", "labels", "retain-set")

    def stages(self, original: Original) -> Sequence[Stage]:
        def shrink(module: Any, deletion: Deletion) -> None:
            for weight in module.parameters():
                weight.data *= 0.9

        (stage,) = super().stages(original)
        return [replace(stage, passes=[replace(each, edit=shrink) for each in stage.passes])]


@dataclass(frozen=True)
class EndsAtOnce(Climbs):
    """Measures the network and ends before its first step."""

    def stages(self, original: Original) -> Sequence[Stage]:
        (stage,) = super().stages(original)
        return [replace(stage, passes=[replace(each, measure=lambda *_: None) for each in stage.passes])]


@pytest.mark.parametrize("cls", [Climbs, EndsAtOnce, EditsBetween])
def test_a_good_one_passes(cls: type[Climbs], found: Found) -> None:
    assert found("unlearner", cls, sees=cls.sees) == set()


@pytest.mark.parametrize(("cls", "check"), BROKEN)
def test_what_is_broken_is_found(cls: type[Unlearner], check: str, found: Found) -> None:
    assert check in found("unlearner", cls, sees=SEES)


def test_every_check_fails_for_one_of_these() -> None:
    assert {check.name for check in CHECKS} <= {check for _, check in BROKEN}
