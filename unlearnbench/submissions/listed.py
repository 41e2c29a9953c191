"""What a submission lists besides results: the plug-ins of its suite, and the cells that cannot run."""

from __future__ import annotations

from dataclasses import fields

from unlearnbench.hooks.records import Plugin
from unlearnbench.hooks.registry import Registered, Registry
from unlearnbench.run.cells import Plan
from unlearnbench.suite.model import Suite

_NOT_DECLARED = frozenset(field.name for field in fields(Plugin)) | {
    "tests_sample",
    "knows_truth",
    "primary",
    "deletes_nothing",
    "knobs",  # what tuning tries: no result depends on it
}
"""Fields of records that say how a run uses a plug-in; a submission does not repeat them."""


def plugin_table(suite: Suite, registry: Registry) -> list[dict[str, object]]:
    """Return the origin of every plug-in of a suite and what its record declares, each once."""
    listed = [*(ref for refs in suite.axes.values() for ref in refs), *suite.metrics]
    refs = [each for ref in listed for each in ((ref, ref.shadow) if ref.shadow else (ref,))]
    found = {(ref.kind, ref.name): registry.get(ref.kind, ref.name) for ref in refs}
    return [_plugin(found[key]) for key in sorted(found)]


def _plugin(registered: Registered) -> dict[str, object]:
    plugin, source = registered.plugin, registered.source
    declared = {f.name: getattr(plugin, f.name) for f in fields(plugin) if f.name not in _NOT_DECLARED}
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in declared.items()}
    if plugin.kind in ("attack", "unlearner"):  # the words of this schema, whatever a record calls it
        listed["control"] = plugin.role == "control"
    return {
        "kind": plugin.kind,
        "name": plugin.name,
        "revision": plugin.revision,
        "distribution": source.name,
        "version": source.version,
        "sha256": source.sha256,
        "declares": {**listed, "reference": plugin.reference},
    }


def skipped_cells(plan: Plan) -> list[dict[str, object]]:
    """Return the cells that cannot run, with reasons."""
    return [dict(cell.labels) | {"seed": cell.seed, "reason": cell.reason} for cell in plan.skipped]
