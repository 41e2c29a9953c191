"""The hooks that plug-ins implement, the records they yield, and the registry that collects them."""

from __future__ import annotations

from unlearnbench.hooks.markers import hookimpl

__all__ = ["hookimpl"]
