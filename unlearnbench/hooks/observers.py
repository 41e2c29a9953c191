"""Observers, which are called as a run proceeds. An exception in one is logged and never fails a cell."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from unlearnbench.core.plugin_calls import plugin_call
from unlearnbench.hooks.sources import Source

HOOKS: Final = ("before_run", "after_cell", "on_cell_error", "after_run")
"""The hooks of observers, in the order in which a run calls them."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Observer:
    """One implementation of an observer hook."""

    hook: str
    function: Callable[..., object]
    takes: tuple[str, ...]
    """Names of the arguments that the function takes; it may leave out some."""
    source: Source


@dataclass(frozen=True)
class Observers:
    """All observers of a registry. Each method calls those of its hook."""

    observers: Sequence[Observer] = ()

    def before_run(self, suite: object, plan: object) -> None:
        """Report that a run starts."""
        self._call("before_run", suite=suite, plan=plan)

    def after_cell(self, cell: object, results: object) -> None:
        """Report the results of one cell."""
        self._call("after_cell", cell=cell, results=results)

    def on_cell_error(self, cell: object, error: object) -> None:
        """Report that a cell failed."""
        self._call("on_cell_error", cell=cell, error=error)

    def after_run(self, suite: object, results: object) -> None:
        """Report the results of the whole run."""
        self._call("after_run", suite=suite, results=results)

    def _call(self, hook: str, **arguments: object) -> None:
        for observer in self.observers:
            if observer.hook != hook:
                continue
            try:
                with plugin_call():
                    observer.function(*(arguments[name] for name in observer.takes))
            except KeyboardInterrupt:
                raise
            except BaseException:  # noqa: BLE001 - a failing observer must not fail a finished cell
                _log.exception("observer %s of %s failed", hook, observer.source)
