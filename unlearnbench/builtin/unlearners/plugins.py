"""The unlearning algorithms that come with the package, and their controls."""

from __future__ import annotations

from collections.abc import Iterator

from unlearnbench.builtin.unlearners.certified.plugins import plugins as certified
from unlearnbench.builtin.unlearners.competition.plugins import plugins as competition
from unlearnbench.builtin.unlearners.controls.plugins import plugins as controls
from unlearnbench.builtin.unlearners.edits.plugins import plugins as edits
from unlearnbench.builtin.unlearners.exact.plugins import plugins as exact
from unlearnbench.builtin.unlearners.gradient.plugins import plugins as gradient
from unlearnbench.hooks.records import UnlearnerPlugin
from unlearnbench.hooks.specs import hookimpl


@hookimpl
def unlearnbench_unlearners() -> Iterator[UnlearnerPlugin]:
    """Yield the unlearning algorithms."""
    yield from exact()
    yield from certified()
    yield from gradient()
    yield from competition()
    yield from edits()
    yield from controls()
