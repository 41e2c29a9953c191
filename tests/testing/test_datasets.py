"""Each check of data sets lets a good one pass, and finds the one that breaks it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from unlearnbench import Dataset, Provenance, Records
from unlearnbench.testing import checks_of

if TYPE_CHECKING:
    from tests.testing.conftest import Found


class Good(Dataset):
    def load(self) -> Records:
        x = np.random.default_rng(0).normal(size=(50, 2))
        return Records("mine", x, np.arange(50) % 2, 2, Provenance("made up", "public domain"))


class Arrays(Good):
    def load(self) -> Records:
        return (super().load().x,)  # type: ignore[return-value]  # the wrong type is the test


class OtherName(Good):
    def load(self) -> Records:
        return replace(super().load(), name="yours")


class Unseeded(Good):
    def load(self) -> Records:
        return replace(super().load(), x=np.random.default_rng().normal(size=(50, 2)))


class GlobalDraws(Good):
    def load(self) -> Records:
        np.random.seed(1)  # noqa: NPY002 - that is what is wrong
        return replace(super().load(), x=np.random.normal(size=(50, 2)))  # noqa: NPY002 - as above


class EmptyClass(Good):
    def load(self) -> Records:
        return replace(super().load(), n_classes=3)


class OneClass(Good):
    def load(self) -> Records:
        return replace(super().load(), y=np.zeros(50, dtype=int), n_classes=1)


class TooFewNames(Good):
    def load(self) -> Records:
        return replace(super().load(), class_names=("yes",))


class Duplicates(Good):
    def load(self) -> Records:
        return replace(super().load(), x=np.ones((50, 2)))


class NoSource(Good):
    def load(self) -> Records:
        return replace(super().load(), provenance=Provenance(" ", "CC0"))


BROKEN = [
    (Arrays, "loads-records"),
    (OtherName, "loads-records"),
    (Unseeded, "loads-the-same-every-time"),
    (GlobalDraws, "leaves-the-process-as-it-was"),
    (EmptyClass, "every-class-occurs"),
    (OneClass, "every-class-occurs"),
    (TooFewNames, "every-class-occurs"),
    (Duplicates, "most-records-can-be-deleted"),
    (NoSource, "has-source-and-licence"),
]


def test_a_good_data_set_passes(found: Found) -> None:
    assert found("dataset", Good, licence="public domain") == set()


@pytest.mark.parametrize(("cls", "check"), BROKEN)
def test_what_is_broken_is_found(cls: type[Dataset], check: str, found: Found) -> None:
    assert check in found("dataset", cls, licence="public domain")


def test_a_licence_that_the_record_does_not_name_is_found(found: Found) -> None:
    assert found("dataset", Good) == {"has-source-and-licence"}


def test_every_check_fails_for_one_of_these() -> None:
    assert {check for _, check in BROKEN} == {check.name for check in checks_of("dataset")}
