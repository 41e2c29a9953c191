from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unlearnbench.builtin.unlearners.controls.none import NoUnlearning
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath

if TYPE_CHECKING:
    from tests.builtin.unlearners.conftest import Spy


def test_every_version_is_the_original_itself_and_nothing_is_trained_for_it(spy: type[Spy], data: TrainingSet) -> None:
    model, method = spy(), NoUnlearning()
    state = method.prepare(Original(model, data, SeedPath(0) / "train"))
    requests = [Request((Step(np.array([3])), Step(np.array([4])))), Request((Step(np.array([5])),))]
    chains = method.serve_all(state, requests, SeedPath(0) / "serve")
    assert all(version.fitted is state.fitted for chain in chains for version in chain)
    assert len(model.tasks) == 1
