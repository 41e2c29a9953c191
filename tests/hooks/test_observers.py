from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from unlearnbench.hooks.observers import Observers
from unlearnbench.hooks.registry import load_registry

WriteFile = Callable[..., Path]

LISTENER = """
    from unlearnbench.hooks import hookimpl

    @hookimpl
    def unlearnbench_before_run(suite, plan):
        suite.append(("before_run", plan))

    @hookimpl
    def unlearnbench_after_cell(results, cell):
        cell.append(("after_cell", results))

    @hookimpl
    def unlearnbench_on_cell_error(cell):
        cell.append("on_cell_error")

    @hookimpl
    def unlearnbench_after_run(suite):
        suite.append("after_run")
"""
RAISER = """
    from unlearnbench.hooks import hookimpl

    @hookimpl
    def unlearnbench_after_cell():
        raise {error}
"""


def test_observers_get_arguments_by_name_and_may_leave_some_out(plugin_file: WriteFile) -> None:
    observers = load_registry([plugin_file(LISTENER)], discover=False).observers
    heard: list[object] = []
    observers.before_run(heard, "plan")
    observers.after_cell(heard, "results")
    observers.on_cell_error(heard, ValueError())
    observers.after_run(heard, "results")
    assert heard == [("before_run", "plan"), ("after_cell", "results"), "on_cell_error", "after_run"]


@pytest.mark.parametrize("error", ["RuntimeError('tracker down')", "SystemExit('tracker down')"])
@pytest.mark.parametrize("raiser", ["a.py", "z.py"])
def test_an_observer_that_raises_is_logged_and_the_others_still_hear(
    raiser: str, error: str, plugin_file: WriteFile, caplog: pytest.LogCaptureFixture
) -> None:
    files = [plugin_file(LISTENER), plugin_file(RAISER.format(error=error), name=raiser)]
    heard: list[object] = []
    for order in (files, files[::-1]):
        load_registry(order, discover=False).observers.after_cell(heard, "results")
    assert heard == [("after_cell", "results")] * 2
    assert caplog.messages == [f"observer after_cell of file {files[1].resolve()} failed"] * 2
    assert "tracker down" in caplog.text


def test_the_user_can_still_interrupt_an_observer(plugin_file: WriteFile) -> None:
    observers = load_registry([plugin_file(RAISER.format(error="KeyboardInterrupt"))], discover=False).observers
    with pytest.raises(KeyboardInterrupt):
        observers.after_cell("cell", "results")


def test_without_observers_nothing_happens() -> None:
    Observers().after_run("suite", "results")
