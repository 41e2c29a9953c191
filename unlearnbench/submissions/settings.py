"""Engine and device of each model: as a submission claims them, and as a re-run here can have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from unlearnbench.core.errors import UserError
from unlearnbench.core.models import TargetModel
from unlearnbench.core.pools import Side
from unlearnbench.engine.devices import Device, resolve_device
from unlearnbench.run.cells import CellGroup
from unlearnbench.run.instances import PluginInstances, ask
from unlearnbench.run.settings import KnownSettings, Setting
from unlearnbench.submissions.schema import Document, GroupPart
from unlearnbench.suite.model import PluginRef, Suite


def claimed_settings(document: Document, suite: Suite, instances: PluginInstances) -> KnownSettings:
    """Return what a submission claims of each model; what the model can have here, where it cannot have that."""
    models = {ref.label: ref for ref in suite.models}
    listed = [(models[part.model], part) for part in document.groups if part.model in models]
    claims = {ref.on(side).key: claim for ref, part in listed for side, claim in claims_of(part).items()}
    return {ref.key: _possible(ref, claims.get(ref.key, ("fast", "cpu")), suite, instances) for ref in _models(suite)}


def settings_here(claimed: KnownSettings, suite: Suite, instances: PluginInstances) -> KnownSettings:
    """Return the settings for a re-run: as claimed, but on the CPU where this machine lacks the device."""

    def available(engine_and_device: Setting) -> Setting:
        engine, device = engine_and_device
        return (engine, device if _available(device) else "cpu")

    return {ref.key: _possible(ref, available(claimed[ref.key]), suite, instances) for ref in _models(suite)}


def claims_of(part: GroupPart) -> Mapping[Side, Setting]:
    """Return the settings that a group claims for the models of both sides."""
    shadow = part.shadow or part
    return {"shadow": (shadow.engine, shadow.device), "target": (part.engine, part.device)}


def settings_of(group: CellGroup) -> Mapping[Side, Setting]:
    """Return the settings that a planned group has."""
    return {task.side: (task.engine, task.device) for task in (group.shadow[0], group.target[0])}


def _models(suite: Suite) -> Iterator[PluginRef]:
    for ref in suite.models:
        yield ref
        yield ref.on("shadow")


def _possible(ref: PluginRef, setting: Setting, suite: Suite, instances: PluginInstances) -> Setting:
    """Return a setting without an engine or a device that the model cannot have."""
    model, (engine, device) = instances.make(ref, TargetModel), setting
    used = device if model.uses_device else "cpu"
    wanted = engine if suite.engine == "auto" else suite.engine
    fast = wanted == "fast" and ask(ref, lambda: model.has_fast_path(used))
    return ("fast" if fast else "reference", used)


def _available(device: str) -> bool:
    try:
        resolve_device(cast(Device, device))
    except UserError:
        return False
    return True
