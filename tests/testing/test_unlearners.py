"""Each check of unlearners lets a good one pass, and finds the one that breaks it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from unlearnbench import FunctionUnlearner, UserError, log_softmax
from unlearnbench.hooks.records import RECORDS
from unlearnbench.hooks.registry import Registered, Registry, Source
from unlearnbench.testing import checks_of, findings_of

TREE = "decision-tree"


@dataclass
class Tilted:
    """A model whose answers are tilted; mutable, so that it can be spoiled."""

    fitted: Any
    tilt: float

    def log_posteriors(self, x: Any) -> Any:
        answer = self.fitted.log_posteriors(x)
        return log_softmax(answer + self.tilt * np.arange(answer.shape[1]))


class Good(FunctionUnlearner):
    """Tilts the answers by the mean label of the forget set."""

    def refusal(self, model: Any) -> Any:
        return None if type(model).__name__ == "DecisionTree" else "a tree, please"  # keeps these tests quick

    def unlearn(self, deletion: Any) -> Any:
        return Tilted(deletion.fitted, deletion.forget.y.mean())


class NeedsModule(Good):
    def unlearn(self, deletion: Any) -> Any:
        return deletion.fitted.module


class RefusesAll(Good):
    def refusal(self, model: Any) -> Any:
        return "no"


class LastOnly(Good):
    def serve_all(self, state: Any, requests: Any, seeds: Any) -> Any:
        return [chain[-1:] for chain in super().serve_all(state, requests, seeds)]


class Unseeded(Good):
    def unlearn(self, deletion: Any) -> Any:
        return Tilted(deletion.fitted, np.random.default_rng().random())


class GlobalDraws(Good):
    def unlearn(self, deletion: Any) -> Any:
        np.random.seed(3)  # noqa: NPY002 - that is what is wrong
        return super().unlearn(deletion)


class Remembers(Good):
    served: ClassVar[list[int]] = []

    def prepare(self, original: Any) -> Any:
        self.served.clear()
        return super().prepare(original)

    def unlearn(self, deletion: Any) -> Any:
        self.served.append(0)
        return Tilted(deletion.fitted, len(self.served) / 10)


class SpoilsTheOriginal(Good):
    def prepare(self, original: Any) -> Any:
        state = super().prepare(original)
        return replace(state, fitted=Tilted(state.fitted, 0.0))

    def unlearn(self, deletion: Any) -> Any:
        deletion.fitted.tilt = 1.0
        return Tilted(deletion.fitted, 0.5)


class SpoilsRecords(Good):
    def unlearn(self, deletion: Any) -> Any:
        deletion.retain.records.x[0] += 1
        return Tilted(deletion.fitted, 0.5)


class NoClassMayGo(Good):
    def unlearn(self, deletion: Any) -> Any:
        if not np.bincount(deletion.retain.y, minlength=deletion.retain.n_classes).all():
            raise ZeroDivisionError("a class is missing")
        return Tilted(deletion.fitted, 0.5)


BROKEN = [
    (NeedsModule, "works-with-models-it-does-not-refuse"),
    (RefusesAll, "works-with-models-it-does-not-refuse"),
    (LastOnly, "returns-a-version-for-every-step"),
    (Unseeded, "same-seeds-same-model"),
    (GlobalDraws, "leaves-global-generators-alone"),
    (Remembers, "serves-each-request-independently"),
    (SpoilsTheOriginal, "inputs-stay-as-they-were"),
    (SpoilsRecords, "inputs-stay-as-they-were"),
    (NoClassMayGo, "edge-cases"),
]


def test_a_good_unlearner_passes(found: Any) -> None:
    assert found("unlearner", Good, sees=("forget-set", "labels")) == set()


@pytest.mark.parametrize(("cls", "check"), BROKEN)
def test_what_is_broken_is_found(cls, check: Any, found: Any) -> None:
    assert check in found("unlearner", cls)


@pytest.mark.parametrize("sees", [(), ("retain-set", "forget-set"), ("retain-set", "labels")])
def test_one_that_sees_more_than_it_declares_is_found(sees: Any, found: Any) -> None:
    assert found("unlearner", Good, sees=sees) == {"undeclared-data-have-no-influence"}


def test_a_case_may_be_refused_in_a_line(found: Any) -> None:
    class Refuses(NoClassMayGo):
        def unlearn(self, deletion: Any) -> Any:
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


def test_every_check_fails_for_one_of_these() -> None:
    broken = {check for _, check in BROKEN}
    assert broken | {"undeclared-data-have-no-influence"} == {check.name for check in checks_of("unlearner")}
