"""The hooks that plug-ins implement, the records that they yield, and the registry of all plug-ins."""

from __future__ import annotations

from unlearnbench.hooks.specs import hookimpl

__all__ = ["hookimpl"]
