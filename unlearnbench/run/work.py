"""What all work of a run has in common: plug-ins that it loads where it is done, and what results depend on there."""

from __future__ import annotations

from functools import cached_property

from unlearnbench.run.environment import fingerprint, instructions, package_sha256
from unlearnbench.run.instances import PluginInstances, locked_instances
from unlearnbench.run.plugin_lock import PluginLock


class LockedWork:
    """Work that uses the plug-ins and data sets of a lock."""

    def __init__(self, lock: PluginLock) -> None:
        self.lock = lock

    @cached_property
    def instances(self) -> PluginInstances:
        """The plug-ins to work with."""
        return locked_instances(self.lock)

    def fingerprint(self) -> dict[str, str]:
        """Return what results depend on here. UserError where plug-ins or data sets are not those of the lock."""
        self.instances.load_checked()
        return {**fingerprint(), "instructions": instructions(), "code of unlearnbench": package_sha256()}
