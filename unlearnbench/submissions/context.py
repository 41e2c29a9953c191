"""A submission beside the plan of its suite: what every step of a check reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from unlearnbench.run.cells import Plan
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plan import make_plan
from unlearnbench.run.settings import KnownSettings
from unlearnbench.submissions.reading import Submission
from unlearnbench.submissions.remeasure import Pair, Remeasurer
from unlearnbench.submissions.settings import claimed_settings, settings_here
from unlearnbench.submissions.suites import known_suite


@dataclass(frozen=True, eq=False)
class CheckContext:
    """A submission, and the plan of its suite as made here."""

    submission: Submission
    plan: Plan
    """What a run of the suite with the claimed engines and devices would do."""
    settings: KnownSettings
    """Those engines and devices."""
    instances: PluginInstances
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
        instances = PluginInstances(registry)
        settings = claimed_settings(document, suite, instances)
        return cls(submission, make_plan(suite, instances, "cpu", known=settings), settings, instances)

    @cached_property
    def remeasurer(self) -> Remeasurer:
        """Computes metrics again."""
        return Remeasurer(self.submission, self.instances, self.groups)

    def plan_here(self) -> Plan:
        """Plan a re-run with the claimed engines and devices as far as this machine has them."""
        suite, instances = self.plan.suite, self.instances
        return make_plan(suite, instances, "cpu", known=settings_here(self.settings, suite, instances))
