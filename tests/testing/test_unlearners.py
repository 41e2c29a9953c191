"""Each check of unlearners lets a good one pass, and finds the one that breaks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import NonNegativeFloat

from unlearnbench import FunctionUnlearner, UserError, log_softmax
from unlearnbench.core.models import Fitted, TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.ranges import Range
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import State, Unlearner
from unlearnbench.engine.unlearners import Deletion, FunctionState
from unlearnbench.hooks.records import RECORDS, Seen
from unlearnbench.hooks.registry import Registered, Registry, Source
from unlearnbench.testing import checks_of, findings_of, moving

if TYPE_CHECKING:
    from tests.testing.conftest import Found


TREE = "decision-tree"


@dataclass
class Tilted:
    """A model whose answers are tilted; mutable, so that it can be spoiled."""

    fitted: Fitted
    tilt: float

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        answer = self.fitted.log_posteriors(x)
        return log_softmax(answer + self.tilt * np.arange(answer.shape[1]))


class Good(FunctionUnlearner):
    """Tilts the answers by the mean label of the forget set."""

    def refusal(self, model: TargetModel) -> str | None:
        return None if type(model).__name__ == "DecisionTree" else "a tree, please"  # keeps these tests quick

    def unlearn(self, deletion: Deletion) -> Fitted:
        return Tilted(deletion.fitted, deletion.forget.y.mean())


class NeedsModule(Good):
    def unlearn(self, deletion: Deletion) -> Fitted:
        module: Fitted = deletion.fitted.module  # type: ignore[attr-defined]  # not every model has it
        return module


class RefusesAll(Good):
    def refusal(self, model: TargetModel) -> str | None:
        return "no"


class LastOnly(Good):
    def serve_all(self, state: State, requests: Sequence[Request], seeds: SeedPath) -> Sequence[Sequence[State]]:
        return [chain[-1:] for chain in super().serve_all(state, requests, seeds)]


class Unseeded(Good):
    def unlearn(self, deletion: Deletion) -> Fitted:
        return Tilted(deletion.fitted, np.random.default_rng().random())


class GlobalDraws(Good):
    def unlearn(self, deletion: Deletion) -> Fitted:
        np.random.seed(3)  # noqa: NPY002 - that is what is wrong
        return super().unlearn(deletion)


class Remembers(Good):
    served: ClassVar[list[int]] = []

    def prepare(self, original: Original) -> FunctionState:
        self.served.clear()
        return super().prepare(original)

    def unlearn(self, deletion: Deletion) -> Fitted:
        self.served.append(0)
        return Tilted(deletion.fitted, len(self.served) / 10)


class SpoilsTheOriginal(Good):
    def prepare(self, original: Original) -> FunctionState:
        state = super().prepare(original)
        return replace(state, fitted=Tilted(state.fitted, 0.0))

    def unlearn(self, deletion: Deletion) -> Fitted:
        assert isinstance(deletion.fitted, Tilted)
        deletion.fitted.tilt = 1.0
        return Tilted(deletion.fitted, 0.5)


class SpoilsRecords(Good):
    def unlearn(self, deletion: Deletion) -> Fitted:
        deletion.retain.records.x[0] += 1
        return Tilted(deletion.fitted, 0.5)


class NoClassMayGo(Good):
    def unlearn(self, deletion: Deletion) -> Fitted:
        if not np.bincount(deletion.retain.y, minlength=deletion.retain.n_classes).all():
            raise ZeroDivisionError("a class is missing")
        return Tilted(deletion.fitted, 0.5)


BROKEN = [
    (NeedsModule, "works-with-models-it-does-not-refuse"),
    (RefusesAll, "works-with-models-it-does-not-refuse"),
    (LastOnly, "returns-a-version-for-every-step"),
    (Unseeded, "same-seeds-same-model"),
    (GlobalDraws, "leaves-the-process-as-it-was"),
    (Remembers, "serves-each-request-independently"),
    (SpoilsTheOriginal, "inputs-stay-as-they-were"),
    (SpoilsRecords, "inputs-stay-as-they-were"),
    (NoClassMayGo, "edge-cases"),
]


def test_a_good_unlearner_passes(found: Found) -> None:
    assert found("unlearner", Good, sees=("forget-set", "labels")) == set()


@pytest.mark.parametrize(("cls", "check"), BROKEN)
def test_what_is_broken_is_found(cls: type[Unlearner], check: str, found: Found) -> None:
    assert check in found("unlearner", cls)


@pytest.mark.parametrize("sees", [(), ("retain-set", "forget-set"), ("retain-set", "labels")])
def test_one_that_sees_more_than_it_declares_is_found(sees: tuple[Seen, ...], found: Found) -> None:
    assert found("unlearner", Good, sees=sees) == {"undeclared-data-have-no-influence"}


@pytest.mark.parametrize(
    ("knobs", "wrong"),
    [({"tilt": Range(0.1, 1.0)}, False), ({"tilt": Range(-1, 1)}, True), ({"tild": Range(1, 2)}, True)],
)
def test_a_knob_is_a_parameter_with_values_that_the_class_takes(knobs: object, wrong: bool, found: Found) -> None:
    @dataclass(frozen=True)
    class Turned(Good):
        """Tilts more or less."""

        tilt: NonNegativeFloat = 1.0

    expected = {"knobs-are-parameters-with-values-that-it-takes"} if wrong else set()
    assert found("unlearner", Turned, knobs=knobs) == expected


def test_a_case_may_be_refused_in_a_line(found: Found) -> None:
    class Refuses(NoClassMayGo):
        def unlearn(self, deletion: Deletion) -> Fitted:
            try:
                return super().unlearn(deletion)
            except ZeroDivisionError as error:
                raise UserError("leave a record of every class") from error

    assert found("unlearner", Refuses) == set()


def test_a_module_that_a_model_does_not_have_is_named(registry: Registry) -> None:
    record = RECORDS["unlearner"](name="mine", summary="Mine", factory=NeedsModule)
    NeedsModule.__doc__ = "Say what it is."
    finding, *_ = findings_of(Registered(record, Source("file", "mine.py")), registry)
    assert finding.problem.startswith("decision-tree: raises AttributeError (test_unlearners.py:")
    assert "refusal(model)" in finding.hint


def test_what_is_no_fitted_model_is_told_with_what_makes_one(registry: Registry) -> None:
    class Bare(Good):
        """Returns something else."""

        def unlearn(self, deletion: Deletion) -> Fitted:
            return cast(Fitted, [1, 2])

    record = RECORDS["unlearner"](name="mine", summary="Mine", factory=Bare)
    finding, *_ = findings_of(Registered(record, Source("file", "mine.py")), registry)
    assert "unlearn must return a fitted model, got list; of a module, deletion.fitted.with_module" in finding.problem
    assert finding.hint.startswith("Do what the problem says")


def test_every_check_fails_for_one_of_these() -> None:
    broken = {check for _, check in BROKEN}
    assert broken | {"undeclared-data-have-no-influence", "knobs-are-parameters-with-values-that-it-takes"} == {
        check.name for check in checks_of("unlearner") if check not in moving.CHECKS
    }
