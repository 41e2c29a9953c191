"""With which engine and on which device each model of a suite is trained."""

from __future__ import annotations

from collections.abc import Mapping

from unlearnbench.core.errors import UserError
from unlearnbench.core.models import Engine, TargetModel
from unlearnbench.engine.devices import Device, resolve_device
from unlearnbench.run.instances import PluginInstances
from unlearnbench.suite.model import EngineChoice, PluginRef

Setting = tuple[Engine, str]
"""The engine and the device that a model is trained with."""
KnownSettings = Mapping[str, Setting]
"""The settings of a run elsewhere, by the key of the model; they need not be possible here."""


class Settings:
    """Engine and device by model, each found once."""

    def __init__(
        self, instances: PluginInstances, engine: EngineChoice, device: Device, known: KnownSettings | None = None
    ) -> None:
        """Find what is not ``known`` by the engine and the device that are wanted."""
        self._instances = instances
        self._engine = engine
        self._device = device
        self._found: dict[str, Setting] = dict(known or {})

    def of(self, ref: PluginRef) -> Setting:
        """Return the engine and the device that a model is trained with. UserError where there is none as wanted."""
        if ref.key not in self._found:
            self._found[ref.key] = self._find(ref)
        return self._found[ref.key]

    def _find(self, ref: PluginRef) -> Setting:
        model = self._instances.make(ref, TargetModel)
        # Asking for a GPU imports torch, and results of a model that runs on the processor do not depend on it.
        device = resolve_device(self._device) if model.uses_device else "cpu"
        fast = model.has_fast_path(device)
        if self._engine == "fast" and not fast:
            raise UserError(f'engine: fast: {ref.name} has no fast path on {device} here; use "auto"')
        return ("fast" if fast and self._engine != "reference" else "reference", device)
