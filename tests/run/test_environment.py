from __future__ import annotations

import os
import re

import unlearnbench
from unlearnbench.run.environment import LIBRARIES, NAMES, fingerprint


def test_a_fingerprint_tells_what_bits_depend_on_and_no_name() -> None:
    told = fingerprint()
    assert (*told,) == NAMES
    assert told.keys() == {"python", "system", "processor", "threads", "unlearnbench", *LIBRARIES}
    assert told["unlearnbench"] == unlearnbench.__version__
    assert all(re.match(r"\d+\.\d+|not installed", told[name]) for name in LIBRARIES)
    assert os.uname().nodename not in told.values()
    assert told == fingerprint()
