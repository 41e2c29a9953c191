"""The executor connects when there is work, and says what is missing where it cannot."""

from __future__ import annotations

import sys

import pytest

from tests.builtin.executors.dask.fakes import Numbers
from unlearnbench.builtin.executors.dask.executor import DaskExecutor
from unlearnbench.core.errors import UserError


@pytest.mark.parametrize("executor", [DaskExecutor(), DaskExecutor("tcp://127.0.0.1:1")])
def test_without_the_library_the_extra_is_named(executor: DaskExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(UserError, match=r'dask is missing: pip install "unlearnbench\[cluster\]"$'):
        list(executor.run(Numbers(), [("a", "say", 1)]))


def test_nothing_is_started_where_nothing_is_to_be_done() -> None:
    executor = DaskExecutor("tcp://127.0.0.1:1")
    assert list(executor.run(Numbers(), [])) == []
    executor.close()
