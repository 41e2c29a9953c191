"""Each check of defenses lets a good one pass, and finds the one that breaks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench import ReleaseDefense, log_of, log_softmax
from unlearnbench.core.defenses import Defense, ReleaseKeys, TrainingDefense
from unlearnbench.core.options import TrainingOptions
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import keyed_normals
from unlearnbench.testing import checks_of

if TYPE_CHECKING:
    from tests.testing.conftest import Found


class Good(ReleaseDefense):
    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        return log_softmax(log_posteriors / 2)


class Noise(Good):
    keys: ClassVar[tuple[str, ...]] = ("episode", "request", "version", "record")

    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        each = [getattr(keys, name)[:, None] for name in self.keys]
        return log_softmax(log_posteriors + keyed_normals(keys.seed, *each, np.arange(log_posteriors.shape[1])[None]))


class SharedNoise(Noise):
    keys = ("episode", "request", "record")


class Trains(Good):
    def training(self) -> TrainingOptions:
        return TrainingOptions(dropout=0.5)


class Unnormalized(Good):
    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        return log_posteriors / 2


class Unseeded(Good):
    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        return log_softmax(log_posteriors + np.random.default_rng().normal(size=log_posteriors.shape))


class GlobalDraws(Good):
    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        np.random.random()  # noqa: NPY002 - that is what is wrong
        return super().release(log_posteriors, keys)


class OfTheBatch(Good):
    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        return log_softmax(log_posteriors + log_posteriors.sum(axis=0))


class InPlace(Good):
    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        log_posteriors /= 2
        return log_softmax(log_posteriors)


class LosesDeletions(Good):
    def schedule(self, requests: Sequence[Request]) -> Sequence[Request]:
        return requests[:-1]


class OptionsAsText(Good):
    def training(self) -> TrainingOptions:
        return "dropout"  # type: ignore[return-value]  # the wrong type is the test


class KeepsNoLabel(Good):
    keeps_label = True

    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        return log_posteriors[:, ::-1]


class BreaksTies(Good):
    keeps_label = True

    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        return log_softmax(log_posteriors + 1e-9 * np.arange(log_posteriors.shape[1]))


class FourClassesOnly(Good):
    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        return log_softmax(log_posteriors + np.arange(4))


class ExactZeros(Good):
    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        return np.asarray(np.log(np.eye(log_posteriors.shape[1])[log_posteriors.argmax(axis=1)]))


BROKEN = [
    (Trains, "acts-at-its-stage-only"),
    (Unnormalized, "releases-log-posteriors"),
    (ExactZeros, "releases-log-posteriors"),
    (Unseeded, "same-keys-same-release"),
    (GlobalDraws, "leaves-the-process-as-it-was"),
    (KeepsNoLabel, "keeps-labels-if-it-says-so"),
    (BreaksTies, "keeps-labels-if-it-says-so"),
    (OfTheBatch, "releases-each-row-independently"),
    (SharedNoise, "noise-is-new-for-every-version"),
    (InPlace, "inputs-stay-as-they-were"),
    (LosesDeletions, "no-deletion-is-lost"),
    (OptionsAsText, "training-options-are-options"),
    (FourClassesOnly, "edge-cases"),
]


class LabelOnly(Good):
    keeps_label = True

    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        return log_of(np.eye(log_posteriors.shape[1])[log_posteriors.argmax(axis=1)])


class Dropout(TrainingDefense):
    def training(self) -> TrainingOptions:
        return TrainingOptions(dropout=0.5)


@pytest.mark.parametrize("cls", [Good, Noise, LabelOnly])
def test_a_good_defense_passes(cls: type[Defense], found: Found) -> None:
    assert found("defense", cls) == set()


def test_a_defense_in_training_passes_and_must_say_so(found: Found) -> None:
    assert found("defense", Dropout, stage="training") == set()
    assert found("defense", Dropout) == {"acts-at-its-stage-only"}


@pytest.mark.parametrize(("cls", "check"), BROKEN)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_is_broken_is_found(cls: type[Defense], check: str, found: Found) -> None:
    assert check in found("defense", cls)


def test_every_check_fails_for_one_of_these() -> None:
    assert {check for _, check in BROKEN} == {check.name for check in checks_of("defense")}
