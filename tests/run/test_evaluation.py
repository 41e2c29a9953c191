"""What the judge of a bench reads: for each side the records of its own data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.run.conftest import Lab


CITIES = """
import numpy as np

from unlearnbench import (
    Attack, AttackPlugin, Dataset, DatasetPlugin, Needs, Provenance, Records, hookimpl
)


class City(Dataset):
    def __init__(self, number: int = 0) -> None:
        self.number = number

    def load(self) -> Records:
        rng = np.random.default_rng(self.number)
        x = self.number + rng.random((600, 4))
        return Records(f"city-{self.number}", x, rng.integers(2, size=600), 2, Provenance("made here", "CC0"))


class Homesick(Attack):
    # The score says where the records it learned from are, and where those that it is asked about.

    @property
    def needs(self) -> Needs:
        return Needs(versions="none", features=True)

    def fit(self, shadow, rng):
        (self.city,) = set(np.floor(shadow.features).ravel())
        return self

    def score(self, view):
        (asked,) = set(np.floor(view.features).ravel())
        return 100 * self.city + asked + np.zeros(len(view))


@hookimpl
def unlearnbench_datasets():
    yield DatasetPlugin(name="city", summary="Features between its number and the next.", factory=City)


@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="homesick", summary="Tells cities apart.", factory=Homesick)
"""


@pytest.mark.parametrize("shadow", [0, 7])
def test_shadow_rows_come_with_the_features_of_the_shadow_data_set(lab: Lab, shadow: int) -> None:
    city = {"name": "city", "params": {"number": 3}}
    if shadow:
        city["shadow"] = {"name": "city", "params": {"number": shadow}}
    ran = lab.run(plugins=[lab.plugin(CITIES)], datasets=[city], attacks=["homesick"])
    assert ran.outcome.failed == 0
    (key,) = (key for key, cell in ran.plan.cells.items() if cell.attack.name == "homesick")
    entry = ran.store.get("cell", key)
    assert entry is not None
    assert set(entry.arrays["scores"]) == {100 * (shadow or 3) + 3}
