"""Checks that the plug-ins of a suite keep the contracts of their kinds."""

from __future__ import annotations

from collections.abc import Iterator

from unlearnbench.core.messages import one_line
from unlearnbench.engine.workers import one_thread
from unlearnbench.hooks.registry import Registry
from unlearnbench.submissions.findings import Finding
from unlearnbench.suite.model import PluginRef, Suite
from unlearnbench.testing import findings_of


def conformance(suite: Suite, registry: Registry) -> list[Finding]:
    """Return what the conformance kit finds in the plug-ins of a suite that are not built in.

    Each is checked with the parameters that the suite gives it. Its code is executed.
    """
    with one_thread():
        return [finding for ref in _foreign(suite, registry) for finding in _findings(ref, registry)]


def _foreign(suite: Suite, registry: Registry) -> list[PluginRef]:
    """Return the plug-ins that are not built in, once for all their parameters."""
    listed = [*(ref for refs in suite.axes.values() for ref in refs), *suite.metrics]
    refs = {ref.key: ref for ref in listed}
    return [ref for ref in refs.values() if registry.get(ref.kind, ref.name).source.kind != "builtin"]


def _findings(ref: PluginRef, registry: Registry) -> Iterator[Finding]:
    for found in findings_of(registry.get(ref.kind, ref.name), registry, ref.params):
        where = f"{ref.kind} {one_line(ref.label)[:100]}, {found.check}"
        yield Finding(where, one_line(found.problem)[:300], one_line(found.hint)[:300])
