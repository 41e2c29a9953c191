"""The command line: thin, one file a verb group."""

from __future__ import annotations

from unlearnbench.cli.app import main

__all__ = ["main"]
