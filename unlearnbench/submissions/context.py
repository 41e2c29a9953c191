"""A submission beside the plan of its suite: what every step of a check reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from unlearnbench.core.errors import UserError
from unlearnbench.core.messages import one_line
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.cells import Plan
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.protocol import entry_plan, is_entry, part_of
from unlearnbench.run.settings import KnownSettings
from unlearnbench.submissions.findings import CellId, refuse
from unlearnbench.submissions.reading import DOCUMENT, Submission
from unlearnbench.submissions.remeasure import Pair, Remeasurer
from unlearnbench.submissions.schema import Document
from unlearnbench.submissions.settings import claimed_settings, settings_here
from unlearnbench.submissions.suites import known_suite
from unlearnbench.suite.entries import ref_of
from unlearnbench.suite.model import PluginRef, Suite

INSTALL: Final = "install the version that was entered, or give its file: --plugin-file"


@dataclass(frozen=True, eq=False)
class CheckContext:
    """A submission, and the plan of its suite as made here."""

    submission: Submission
    plan: Plan
    """What a run of the suite with the claimed engines and devices would do."""
    settings: KnownSettings
    """Those engines and devices."""
    instances: PluginInstances
    entry: PluginRef | None = None
    """The plug-in that is entered; None for the reference entry."""
    groups: Sequence[Pair] = ()
    """The groups that are the same in both."""

    @classmethod
    def open(
        cls,
        submission: Submission,
        suite_file: Path | None,
        plugin_files: Iterable[Path],
        disabled: Iterable[str],
        run_plugin_files: bool,
    ) -> CheckContext:
        """Find the suite of a submission, as :func:`known_suite` does, and plan it as the submission was run."""
        document = submission.document
        suite, registry = known_suite(document, suite_file, plugin_files, disabled, run_plugin_files)
        instances, entry = PluginInstances(registry), entry_of(document, suite, registry)
        settings = claimed_settings(document, part_of(suite, entry, registry), instances)
        plan = entry_plan(suite, entry, instances, "cpu", settings)
        return cls(submission, plan, settings, instances, entry)

    @cached_property
    def remeasurer(self) -> Remeasurer:
        """Computes metrics again."""
        return Remeasurer(self.submission, self.instances, self.groups)

    def plan_here(self) -> Plan:
        """Plan a re-run with the claimed engines and devices as far as this machine has them."""
        suite, entry, instances = self.plan.suite, self.entry, self.instances
        settings = settings_here(self.settings, part_of(suite, entry, instances.registry), instances)
        return entry_plan(suite, entry, instances, "cpu", settings)

    def owns(self, name: CellId) -> bool:
        """Say whether a cell is one of the entry's own, not a control that the board has from its reference entry."""
        return self.submission.document.owns(name)


def entry_of(document: Document, suite: Suite, registry: Registry) -> PluginRef | None:
    """Return the plug-in that a submission enters, as it is here; :class:`RefusedError` where it is none or another."""
    part = document.entry
    if part is None:
        return None
    found = next((ref for ref in suite.axes[part.axis] if ref.label == part.label), None)
    try:
        entry = found or ref_of(part.axis, part.name, part.params, registry)
    except UserError as error:
        raise refuse(DOCUMENT, f"its plug-in cannot be used here ({one_line(str(error))[:200]})", INSTALL) from error
    if (entry.label, entry.name, dict(entry.params)) != (part.label, part.name, part.params):
        what = f"the {part.axis} that it enters is {one_line(entry.label)[:100]} here, with other parameters"
        raise refuse(DOCUMENT, what, INSTALL)
    if not is_entry(entry, registry):
        raise refuse(DOCUMENT, "it enters a control or a baseline", "leave those to the suite's reference entry")
    return entry
