"""Each check of attacks lets a good one pass, and finds the one that breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench import Attack, Needs, ScoreAttack
from unlearnbench.core.attacks import FittedAttack
from unlearnbench.core.observations import ShadowView, View
from unlearnbench.testing import checks_of

if TYPE_CHECKING:
    from tests.testing.conftest import Found


class Good(ScoreAttack):
    """A formula of what a row holds."""

    def score(self, view: View) -> NDArray[np.float64]:
        return np.asarray(np.exp(view.before).max(axis=1) - np.exp(view.after).max(axis=1))


class Column(Good):
    def score(self, view: View) -> NDArray[np.float64]:
        return super().score(view)[:, None]


class Infinite(Good):
    def score(self, view: View) -> NDArray[np.float64]:
        return super().score(view) / 0.0 if len(view) else np.empty(0)


class Unseeded(Good):
    def score(self, view: View) -> NDArray[np.float64]:
        return np.random.default_rng().random(len(view))


class GlobalDraws(Good):
    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        np.random.seed(0)  # noqa: NPY002 - that is what is wrong
        return self


class ByPlace(Good):
    def score(self, view: View) -> NDArray[np.float64]:
        return np.arange(len(view), dtype=float)


class AgainstTheOthers(Good):
    def score(self, view: View) -> NDArray[np.float64]:
        scores = super().score(view)
        return scores - scores.mean() if len(scores) else scores


class LastBits(Good):
    def score(self, view: View) -> NDArray[np.float64]:
        return super().score(view) + 1e-15 * len(view)


class Remembers(Good):
    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        self.calls = 0
        return self

    def score(self, view: View) -> NDArray[np.float64]:
        self.calls += 1
        return super().score(view) + self.calls // 10


class Peeks(Good):
    def score(self, view: View) -> NDArray[np.float64]:
        return view._label.astype(float)


class ReadsMore(Good):
    def score(self, view: View) -> NDArray[np.float64]:
        return view.label.astype(float)


class InPlace(Good):
    def score(self, view: View) -> NDArray[np.float64]:
        before = view.before
        before += 0.1
        return super().score(view)


class NoProbability(Good):
    probabilistic: ClassVar = True

    def score(self, view: View) -> NDArray[np.float64]:
        return super().score(view) + 3


class FourClassesOnly(Good):
    def score(self, view: View) -> NDArray[np.float64]:
        return view.before[:, :4] @ np.ones(4)


class NeedsBothKinds(Attack):
    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        if shadow.deleted.all() or not shadow.deleted.any():
            raise ValueError("only one kind")
        return Good()


BROKEN = [
    (Column, "gives-one-finite-score-a-row"),
    (Infinite, "gives-one-finite-score-a-row"),
    (Unseeded, "same-seed-same-scores"),
    (GlobalDraws, "leaves-the-process-as-it-was"),
    (ByPlace, "scores-follow-their-rows"),
    (AgainstTheOthers, "scores-each-row-independently"),
    (LastBits, "scores-each-row-independently"),
    (Remembers, "scores-each-row-independently"),
    (Peeks, "undeclared-fields-have-no-influence"),
    (ReadsMore, "gives-one-finite-score-a-row"),
    (InPlace, "inputs-stay-as-they-were"),
    (NoProbability, "probabilities-are-probabilities"),
    (FourClassesOnly, "edge-cases"),
    (NeedsBothKinds, "edge-cases"),
]


def test_a_good_attack_passes(found: Found) -> None:
    assert found("attack", Good) == set()


@pytest.mark.parametrize(("cls", "check"), BROKEN)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_what_is_broken_is_found(cls: type[Attack], check: str, found: Found) -> None:
    assert check in found("attack", cls)


def test_a_record_that_declares_less_than_the_class_needs_is_found(found: Found) -> None:
    class WithLabel(Good):
        needs: ClassVar = Needs(label=True)

    assert found("attack", WithLabel) == {"record-declares-its-needs"}
    assert found("attack", WithLabel, label=True) == set()


def test_every_check_fails_for_one_of_these() -> None:
    assert {check for _, check in BROKEN} | {"record-declares-its-needs"} == {c.name for c in checks_of("attack")}
