"""Which plug-ins of a suite fail when they are asked what a plan needs. That costs their own cells only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import get_args

import numpy as np

from unlearnbench.core.attacks import Attack
from unlearnbench.core.defenses import Defense
from unlearnbench.core.hashing import canonical_json
from unlearnbench.core.metrics import Metric
from unlearnbench.core.models import TargetModel
from unlearnbench.core.options import TrainingOptions
from unlearnbench.core.pools import Side
from unlearnbench.core.scenarios import Scenario
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.run.instances import PluginFaultError, PluginInstances, ask, baseline_ref
from unlearnbench.run.settings import Settings
from unlearnbench.run.sizes import deleted_and_added
from unlearnbench.suite.model import DatasetRef, PluginRef, Suite


class Faults:
    """Asks plug-ins all that a plan needs of them, each once, and tells what they raise.

    A plug-in's :class:`UserError` passes: it is for the user, before anything runs.
    """

    def __init__(self, suite: Suite, instances: PluginInstances, settings: Settings) -> None:
        self._suite = suite
        self._instances = instances
        self._settings = settings
        self._told: dict[tuple[str, ...], str] = {}

    def of_setting(self, dataset: DatasetRef, model: PluginRef, unlearner: PluginRef, scenario: PluginRef) -> str:
        """Return why no cell with these plug-ins can be planned, or ""."""
        return next(filter(None, self._of_setting(dataset, model, unlearner, scenario)), "")

    def of_dataset(self, dataset: DatasetRef, scenario: PluginRef) -> str:
        """Return why no cell with this data set and scenario can be planned, or ""."""
        return next(filter(None, self._of_dataset(dataset, scenario)), "")

    def of_pair(self, defense: PluginRef, attack: PluginRef) -> str:
        """Return why no cell with this defense and attack can be planned, or ""."""
        return self._of(self._ask_defense, defense) or self._of(self._ask_attack, attack)

    @cached_property
    def _of_metrics(self) -> str:
        return next(filter(None, (self._of(self._ask_metric, metric) for metric in self._suite.metrics)), "")

    def _of_setting(
        self, dataset: DatasetRef, model: PluginRef, unlearner: PluginRef, scenario: PluginRef
    ) -> Iterator[str]:
        yield self._of_metrics
        yield from self._of_dataset(dataset, scenario)
        yield from (self._of(self._ask_model, model.on(side)) for side in get_args(Side))
        yield self._of(self._ask_unlearner, unlearner)
        yield from (self._of(self._ask_refusal, unlearner, model.on(side)) for side in get_args(Side))
        yield from (self._of(self._ask_refusal_of_records, unlearner, dataset.on(side)) for side in get_args(Side))

    def _of_dataset(self, dataset: DatasetRef, scenario: PluginRef) -> Iterator[str]:
        yield from (self._of(self._ask_records, dataset.on(side)) for side in get_args(Side))
        yield self._of(self._ask_scenario, scenario, dataset)
        yield from (self._of(self._ask_scenario_of_records, scenario, dataset.on(side)) for side in get_args(Side))

    def _of(self, question: Callable[..., object], *refs: PluginRef) -> str:
        """Ask the first of these plug-ins a question about the others, if it was not asked before."""
        key = (question.__name__, *(text for ref in refs for text in (ref.key, ref.label)))
        if key not in self._told:
            try:
                ask(refs[0], lambda: question(*refs))
                self._told[key] = ""
            except PluginFaultError as error:
                self._told[key] = str(error)
        return self._told[key]

    def _ask_records(self, dataset: PluginRef) -> None:
        records = self._instances.records(dataset)
        _ = records.sha256, records.has_duplicate

    def _ask_model(self, model: PluginRef) -> None:
        made = self._instances.make(model, TargetModel)
        canonical_json([made.engine_revision, sorted(made.options)])
        self._settings.of(model)

    def _ask_unlearner(self, unlearner: PluginRef) -> None:
        self._instances.make(unlearner, Unlearner)

    def _ask_refusal(self, unlearner: PluginRef, model: PluginRef) -> None:
        made = self._instances.make(unlearner, Unlearner)
        _demand(made.refusal(self._instances.make(model, TargetModel)), str | None, "refusal")

    def _ask_refusal_of_records(self, unlearner: PluginRef, dataset: PluginRef) -> None:
        made = self._instances.make(unlearner, Unlearner)
        _demand(made.refusal_of_records(self._instances.records(dataset)), str | None, "refusal_of_records")

    def _ask_scenario(self, scenario: PluginRef, dataset: DatasetRef) -> None:
        for side in get_args(Side):
            deleted_and_added(self._instances.make(scenario, Scenario), self._suite.sizes(dataset, side))

    def _ask_scenario_of_records(self, scenario: PluginRef, dataset: PluginRef) -> None:
        made, records = self._instances.make(scenario, Scenario), self._instances.records(dataset)
        refusal = made.refusal_of_records(records)
        _demand(refusal, str | None, "refusal_of_records")
        if not refusal and (eligible := made.eligible(records)) is not None:
            _demand(eligible, np.ndarray, "eligible")
            if eligible.dtype != np.bool_ or eligible.shape != records.y.shape:
                raise ValueError(f"eligible must give true or false for each of {len(records)} records")

    def _ask_defense(self, defense: PluginRef) -> None:
        made = self._instances.make(defense, Defense)
        _demand(made.training(), TrainingOptions, "training")
        _demand(made.keeps_label, bool, "keeps_label")

    def _ask_attack(self, attack: PluginRef) -> None:
        needs = self._instances.make(attack, Attack).needs
        for name, wanted in {"references": int, "population": int, "copies": int, "boundary": bool}.items():
            _demand(getattr(needs, name), wanted, f"needs.{name}")
        self._instances.make(baseline_ref(attack, self._instances), Attack)

    def _ask_metric(self, metric: PluginRef) -> None:
        made = self._instances.make(metric, Metric)
        _ = made.reads_retrained
        _demand(made.reads_references, int, "reads_references")
        _demand(made.relearns, int, "relearns")


def _demand(answer: object, wanted: type | object, what: str) -> None:
    if not isinstance(answer, wanted):  # type: ignore[arg-type]  # a class or a union of classes
        raise TypeError(f"{what} gives {answer!r:.80}, which must be {getattr(wanted, '__name__', wanted)}")
