from __future__ import annotations

import os
import re

import pytest

import unlearnbench
from unlearnbench.run.environment import LIBRARIES, fingerprint
from unlearnbench.run.progress import progress


def test_a_fingerprint_tells_what_bits_depend_on_and_no_name() -> None:
    told = fingerprint()
    assert told.keys() == {"python", "system", "processor", "threads", "unlearnbench", *LIBRARIES}
    assert told["unlearnbench"] == unlearnbench.__version__
    assert all(re.match(r"\d+\.\d+|not installed", told[name]) for name in LIBRARIES)
    assert os.uname().nodename not in told.values()
    assert told == fingerprint()


def test_without_a_terminal_no_progress_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("working", 3, shown=True) as advance:
        advance()
    assert capsys.readouterr() == ("", "")
