"""How much memory processes hold, and how many workers fit into a limit."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.builtin.executors.memory import memory_by_group, peak_memory, workers_within
from unlearnbench.core.errors import UserError


def test_as_many_workers_as_fit_beside_this_process() -> None:
    assert workers_within(4000, own=500, worker=1000) == 3
    assert workers_within(1500, own=500, worker=1000) == 1


@given(memory=st.integers(2, 10**12), own=st.integers(0, 10**10), worker=st.integers(1, 10**10))
def test_workers_never_take_more_and_one_more_would(memory: int, own: int, worker: int) -> None:
    if own + worker > memory:
        with pytest.raises(UserError):
            workers_within(memory, own, worker)
    else:
        workers = workers_within(memory, own, worker)
        assert own + workers * worker <= memory < own + (workers + 1) * worker


def test_where_not_one_fits_the_least_that_would_do_is_told() -> None:
    with pytest.raises(UserError) as told:
        workers_within(10 * 10**6, own=120 * 10**6, worker=300 * 10**6)
    assert str(told.value) == (
        "memory: 10 MB is too little: one worker held 300 MB and this process 120 MB; allow at least 421 MB"
    )
    assert workers_within(421 * 10**6, own=120 * 10**6, worker=300 * 10**6) == 1


@pytest.mark.skipif(platform.system() == "Windows", reason="Windows does not tell")
def test_the_peak_counts_what_was_held_for_a_moment() -> None:
    before = peak_memory()
    ballast = np.ones(before // 8 + 10**7)  # as much as ever before, and 80 MB
    del ballast
    assert before + 60 * 10**6 < peak_memory() < 4 * before + 10**9


@pytest.mark.skipif(platform.system() != "Linux", reason="only Linux tells")
def test_the_memory_of_a_group_is_that_of_all_its_processes() -> None:
    hold = "import sys; held = bytes(range(256)) * 400_000; print(flush=True); sys.stdin.read()"
    children: list[subprocess.Popen[bytes]] = []
    for group in (0, None):
        leader = children[0].pid if group is None else 0
        command = [sys.executable, "-c", hold]
        children.append(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=leader)  # noqa: S603 - our own code
        )
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()
    held = memory_by_group()
    assert 200e6 < held[children[0].pid] < 400e6
    assert held[os.getpgrp()] > 10e6
    for child in children:
        child.communicate()
