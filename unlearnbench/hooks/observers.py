"""Observers are told how a run goes. One that raises is logged and never fails a cell."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from unlearnbench.hooks.sources import Source

HOOKS: Final = ("before_run", "after_cell", "on_cell_error", "after_run")
"""The observers, in the order in which a run calls them."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Observer:
    """One implementation of an observer; ``takes`` names the arguments that it wants."""

    hook: str
    function: Callable[..., object]
    takes: tuple[str, ...]
    source: Source


@dataclass(frozen=True)
class Observers:
    """All observers of a registry; each method tells every one that listens."""

    observers: Sequence[Observer] = ()

    def before_run(self, suite: object, plan: object) -> None:
        """Tell that a run starts."""
        self._tell("before_run", suite=suite, plan=plan)

    def after_cell(self, cell: object, results: object) -> None:
        """Tell the results of one cell."""
        self._tell("after_cell", cell=cell, results=results)

    def on_cell_error(self, cell: object, error: object) -> None:
        """Tell that a cell failed."""
        self._tell("on_cell_error", cell=cell, error=error)

    def after_run(self, suite: object, results: object) -> None:
        """Tell the results of the whole run."""
        self._tell("after_run", suite=suite, results=results)

    def _tell(self, hook: str, **arguments: object) -> None:
        for observer in self.observers:
            if observer.hook != hook:
                continue
            try:
                observer.function(*(arguments[name] for name in observer.takes))
            except Exception:  # noqa: BLE001 - a tracker that is down must not cost a finished cell
                _log.exception("observer %s of %s failed", hook, observer.source)
