from __future__ import annotations

import numpy as np

from unlearnbench.builtin.defenses.none import NoDefense
from unlearnbench.core.defenses import ReleaseKeys

NOBODY = np.zeros(1, dtype=np.int64)
KEYS = ReleaseKeys(0, NOBODY, NOBODY, NOBODY, NOBODY)


def test_nothing_is_changed() -> None:
    log_posteriors = np.log([[0.3, 0.7], [0.5, 0.5]])
    assert np.array_equal(NoDefense().release(log_posteriors, KEYS), log_posteriors)
