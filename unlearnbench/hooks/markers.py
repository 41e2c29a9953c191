"""The two marks: what declares a hook, and what implements one."""

from __future__ import annotations

from typing import Final

import pluggy

PROJECT: Final = "unlearnbench"
"""The name of the hooks, of their prefix and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
