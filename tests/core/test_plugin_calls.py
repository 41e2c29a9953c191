"""What a plug-in changes in its process is undone when its call ends, and what it prints is not on standard output."""

from __future__ import annotations

import ctypes
import locale
import os
import random
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special
import sklearn
import torch

from unlearnbench.core.plugin_calls import plugin_call
from unlearnbench.core.process_settings import SETTINGS, differing, read_settings, write_settings


def leave_a_filter_block() -> None:
    block = warnings.catch_warnings()
    block.__enter__()
    warnings.simplefilter("ignore")


def set_locale() -> None:
    found = next(name for name in ("C.UTF-8", "C.utf8", "POSIX", "C") if name != locale.setlocale(locale.LC_ALL))
    locale.setlocale(locale.LC_ALL, found)


def start_an_alarm() -> None:
    signal.setitimer(signal.ITIMER_REAL, 3600)


def set_cudnn() -> None:
    torch.backends.cudnn.benchmark = True


CHANGES: dict[str, Callable[[], Any]] = {
    "the working directory": lambda: os.chdir(tempfile.gettempdir()),
    "the environment": lambda: os.environ.update(HOME="/nowhere", NEW_SETTING="1"),
    "the draws of random": lambda: random.seed(1),
    "the draws of numpy.random": lambda: np.random.seed(1),  # noqa: NPY002 - that is what is undone
    "numpy's treatment of errors": lambda: np.seterr(all="raise"),
    "numpy's error handler": lambda: np.seterrcall(print),
    "numpy's print options": lambda: np.set_printoptions(precision=2),
    "the filters of warnings": leave_a_filter_block,
    "the locale": set_locale,
    "the recursion limit": lambda: sys.setrecursionlimit(sys.getrecursionlimit() + 1000),
    "the handlers of signals": lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    "the alarm timer": start_an_alarm,
    "sys.path": lambda: sys.path.insert(0, "/nowhere"),
    "sys.argv": lambda: sys.argv.append("--more"),
    "sys.stderr": lambda: setattr(sys, "stderr", sys.__stdout__),
    "sys.excepthook": lambda: setattr(sys, "excepthook", print),
    "torch's default type": lambda: torch.set_default_dtype(torch.float64),
    "torch's default device": lambda: torch.set_default_device("meta"),
    "torch's number of threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "torch's gradients": lambda: torch.set_grad_enabled(False),
    "torch's deterministic algorithms": lambda: torch.use_deterministic_algorithms(True, warn_only=True),
    "torch's precision of products": lambda: torch.set_float32_matmul_precision("medium"),
    "torch's settings of cudnn": set_cudnn,
    "torch's flushing of denormal numbers": lambda: torch.set_flush_denormal(True),
    "the draws of torch": lambda: torch.manual_seed(1),
    "scikit-learn's configuration": lambda: sklearn.set_config(transform_output="pandas"),
    "scipy.special's treatment of errors": lambda: scipy.special.seterr(all="raise"),
}


def test_there_is_a_change_for_every_setting() -> None:
    assert CHANGES.keys() == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_noticed_by_its_name_and_undone_when_the_call_ends(name: str) -> None:
    before = read_settings()
    try:
        with plugin_call():
            CHANGES[name]()
            assert name in differing(before, read_settings())
        assert differing(before, read_settings()) == []
    finally:  # other tests are not to suffer from what this one finds
        write_settings(before, read_settings())


def change_all_and_fail() -> None:
    with plugin_call():
        for change in CHANGES.values():
            change()
        raise RuntimeError("in the middle")


def test_all_changes_are_undone_after_an_exception() -> None:
    before = read_settings()
    try:
        with pytest.raises(RuntimeError, match="in the middle"):
            change_all_and_fail()
        assert differing(before, read_settings()) == []
    finally:
        write_settings(before, read_settings())


def test_an_inner_call_finds_what_the_outermost_found_and_the_outer_plugin_keeps_its_own() -> None:
    with plugin_call():
        np.seterr(all="raise")
        with plugin_call():
            assert np.geterr()["over"] != "raise"
            np.seterr(all="ignore")
        assert np.geterr()["over"] == "raise"


IMPORTS_TORCH = """
import sys
from unlearnbench.core.plugin_calls import plugin_call
assert "torch" not in sys.modules
with plugin_call():
    import torch
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
print(torch.get_default_dtype(), torch.is_grad_enabled())
"""


def test_a_library_that_a_plugin_imports_first_gets_the_settings_of_its_import() -> None:
    ran = subprocess.run([sys.executable, "-c", IMPORTS_TORCH], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    assert ran.stdout.split() == ["torch.float32", "True"]


def test_a_working_directory_that_was_deleted_is_left() -> None:
    here = Path.cwd()
    with plugin_call():
        gone = Path(tempfile.mkdtemp())
        os.chdir(gone)
        gone.rmdir()
    assert Path.cwd() == here


PRINTERS: dict[str, Callable[[], Any]] = {
    "Python": lambda: print("a word"),  # noqa: T201 - that is what is tested
    "the first standard output": lambda: print("a word", file=sys.__stdout__),
    "the descriptor": lambda: os.write(1, b"a word\n"),
    "C": lambda: ctypes.CDLL(None).puts(b"a word"),
    "a child process": lambda: subprocess.run(["/bin/echo", "a word"], check=True),
}


@pytest.mark.parametrize("by", PRINTERS)
def test_what_is_printed_in_a_call_goes_to_the_error_stream(by: str, capfd: pytest.CaptureFixture[str]) -> None:
    print("before")  # noqa: T201 - what must stay on standard output
    with plugin_call():
        PRINTERS[by]()
    print("after")  # noqa: T201 - as above
    out, err = capfd.readouterr()
    assert out.split() == ["before", "after"]
    assert err == "a word\n"
