"""What holds in every process that does work."""

from __future__ import annotations

import multiprocessing
import os

import pytest

from unlearnbench.engine.workers import THREAD_VARIABLES, UNGUARDED, exit_if_worker_is_starting, one_thread


def test_work_is_kept_to_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    from threadpoolctl import threadpool_info

    for name in THREAD_VARIABLES:
        monkeypatch.setenv(name, "7")
    with one_thread():
        assert {os.environ[name] for name in THREAD_VARIABLES} == {"1"}
        assert all(pool["num_threads"] == 1 for pool in threadpool_info())


def test_only_a_worker_that_is_still_starting_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    exit_if_worker_is_starting()
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(SystemExit) as caught:
        exit_if_worker_is_starting()
    assert caught.value.code == UNGUARDED
