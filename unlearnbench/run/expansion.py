"""The cells of a suite in groups that share their episodes, with all store keys, and the cells that cannot run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product

from unlearnbench.core.attacks import Attack
from unlearnbench.core.defenses import Defense
from unlearnbench.core.errors import UserError
from unlearnbench.core.hashing import canonical_json
from unlearnbench.core.messages import counted
from unlearnbench.core.metrics import Metric
from unlearnbench.core.models import TargetModel
from unlearnbench.core.options import PLAIN
from unlearnbench.core.pools import Side
from unlearnbench.core.scenarios import Scenario
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.hooks.records import DefensePlugin
from unlearnbench.run.cells import SIDES, Cell, CellGroup, EpisodeTask, ReferenceTask
from unlearnbench.run.faults import Faults
from unlearnbench.run.instances import PluginInstances, default_ref
from unlearnbench.run.keys import cell_fields, episode_keys, group_fields, joined_key, reference_keys
from unlearnbench.run.settings import Settings
from unlearnbench.run.sizes import deleted_and_added, queried_at_most, refused_records
from unlearnbench.suite.model import AXES, DatasetRef, PluginRef, Suite

Shared = tuple[DatasetRef, PluginRef, PluginRef, PluginRef]
"""Data set, model, unlearner and scenario, which the cells of a group share."""


class Expansion:
    """The groups of a suite. What several of them share is computed once."""

    def __init__(self, suite: Suite, instances: PluginInstances, settings: Settings, faults: Faults) -> None:
        self.suite = suite
        self.instances = instances
        self.groups: list[CellGroup] = []
        """All cells that can run."""
        self.skipped: list[Cell] = []
        """Those that are not to run."""
        self.failed: list[Cell] = []
        """Those that cannot be planned."""
        self._settings = settings
        self._faults = faults
        self._metrics = sorted(map(instances.identity, suite.metrics), key=canonical_json)
        self._cell_fields: dict[tuple[str, str], bytes] = {}
        self._refusals: dict[tuple[str, str, str, str], str] = {}
        self._pairs = [(*pair, faults.of_pair(*pair)) for pair in product(suite.defenses, suite.attacks)]
        for shared in product(suite.datasets, suite.models, suite.unlearners, suite.scenarios):
            self._expand(shared)

    def _expand(self, shared: Shared) -> None:
        """Add the cells of one data set, model, unlearner and scenario, in the suite's order."""
        seeds, fault = self.suite.seeds, self._faults.of_setting(*shared)
        runnable: dict[PluginRef | None, list[tuple[PluginRef, PluginRef]]] = {}
        for defense, attack, own_fault in self._pairs:
            if reason := self._excluded(*shared, defense, attack):
                self.skipped += (Cell(*shared, defense, attack, seed, reason) for seed in seeds)
            elif reason := fault or own_fault:
                self.failed += (Cell(*shared, defense, attack, seed, reason) for seed in seeds)
            elif reason := self._refused(shared, defense, attack):
                self.skipped += (Cell(*shared, defense, attack, seed, reason) for seed in seeds)
            else:
                runnable.setdefault(self._in_training(defense), []).append((defense, attack))
        for trained_with, pairs in runnable.items():
            self.groups += (self._group(shared, trained_with, seed, pairs) for seed in seeds)

    def _excluded(self, *refs: PluginRef) -> str | None:
        if not self.suite.exclude:
            return None
        return self.suite.excluded({axis: ref.name for axis, ref in zip(AXES, refs, strict=True)})

    def _refused(self, shared: Shared, defense: PluginRef, attack: PluginRef) -> str:
        """Return why a cell cannot run, or "".

        The scenario or the unlearner does not go with the data set, the model of one side not with the data set, the
        unlearner or the defense, or the attack needs more than there is or than the defense leaves.
        """
        dataset, model, unlearner, scenario = shared
        unfit = (self._unfit(dataset.on(side), model.on(side), unlearner) for side in SIDES)
        refusals = (self._refusal(model.on(side), unlearner, defense) for side in SIDES)
        return (
            refused_records(dataset, scenario, self.instances)
            or next(filter(None, (*unfit, *refusals)), "")
            or self._unmet_need(dataset, defense, attack)
        )

    def _unfit(self, dataset: PluginRef, model: PluginRef, unlearner: PluginRef) -> str:
        """Return why a model or an unlearner cannot be used with the records of a data set, or "" where they can."""
        key = ("", dataset.key, model.key, unlearner.key)
        if key not in self._refusals:
            self._refusals[key] = unfit(dataset, model, unlearner, self.instances)
        return self._refusals[key]

    def _unmet_need(self, dataset: DatasetRef, defense: PluginRef, attack: PluginRef) -> str:
        needs, offered = self.instances.make(attack, Attack).needs, dataset.references
        if needs.references > offered.references:
            models = counted(needs.references, "reference model")
            return f"needs {models}, the suite's adversary offers {offered.references}"
        if needs.population > offered.population:
            return f"needs a population of {needs.population}, the suite's adversary offers {offered.population}"
        if needs.copies > offered.copies:
            copies = counted(needs.copies, "noisy copy")
            return f"needs {copies} of a record, the suite's adversary offers {offered.copies}"
        if needs.boundary and not offered.boundary:
            return "needs distances to the decision boundary, the suite's adversary searches none (boundary: QUERIES)"
        if needs.boundary and not self.instances.make(defense, Defense).keeps_label:
            return f"reads the decision boundary of the models' labels, and {defense.name} may release other labels"
        if needs.retained and not dataset.adversary.retained:
            return "learns from retained records of shadow models, the suite's adversary queries none"
        return ""

    def _refusal(self, model: PluginRef, unlearner: PluginRef, defense: PluginRef) -> str:
        key = (model.key, unlearner.key, defense.key, "")
        if key not in self._refusals:
            self._refusals[key] = refusal(model, unlearner, defense, self.instances)
        return self._refusals[key]

    def _in_training(self, defense: PluginRef) -> PluginRef | None:
        """Return the defense if what is trained or published depends on it."""
        plugin = self.instances.registry.get("defense", defense.name).plugin
        return defense if isinstance(plugin, DefensePlugin) and plugin.stage != "release" else None

    def _group(
        self, shared: Shared, trained_with: PluginRef | None, seed: int, pairs: Sequence[tuple[PluginRef, PluginRef]]
    ) -> CellGroup:
        """Return the group of these pairs of a defense and an attack."""
        target, shadow = (self._tasks(shared, trained_with, seed, side) for side in SIDES)
        retrained = self._retrained_group(shared, trained_with, seed, pairs)
        needed = {attack: self.instances.make(attack, Attack).needs.references for _, attack in pairs}
        read = self._references_read if self._references_read <= shared[0].references.references else 0
        references = self._references(shared, target, max(read, *needed.values()))
        fields = group_fields(shared[0], target, shadow, self._metrics, retrained, references[:read])
        cells = {
            joined_key(self._fields_of(defense, attack, references[: needed[attack]]), fields): Cell(
                *shared, defense, attack, seed
            )
            for defense, attack in pairs
        }
        return CellGroup(target, shadow, cells, self.suite.metrics, retrained, references, read)

    def _retrained_group(
        self, shared: Shared, trained_with: PluginRef | None, seed: int, pairs: Sequence[tuple[PluginRef, PluginRef]]
    ) -> CellGroup | None:
        """Return the same cells with retraining, where a metric reads them and these cells do not retrain."""
        dataset, model, unlearner, scenario = shared
        if self._retraining is None or unlearner.key == self._retraining.key:
            return None
        return self._group((dataset, model, self._retraining, scenario), trained_with, seed, pairs)

    def _fields_of(self, defense: PluginRef, attack: PluginRef, references: Sequence[ReferenceTask]) -> bytes:
        if references:
            return cell_fields(defense, attack, self.instances, [task.key for task in references])
        key = (defense.key, attack.key)
        if key not in self._cell_fields:
            self._cell_fields[key] = cell_fields(defense, attack, self.instances)
        return self._cell_fields[key]

    def _tasks(self, shared: Shared, trained_with: PluginRef | None, seed: int, side: Side) -> tuple[EpisodeTask, ...]:
        """Return the episodes of one side, one for each original."""
        dataset, model, unlearner, scenario = shared
        engine, device = self._settings.of(model.on(side))
        options = self.instances.make(trained_with, Defense).training() if trained_with else PLAIN
        first = EpisodeTask(
            dataset=dataset.on(side),
            model=model.on(side),
            unlearner=unlearner,
            scenario=scenario,
            defense=trained_with,
            sizes=self.suite.sizes(dataset, side),
            side=side,
            original=0,
            seed=seed,
            engine=engine,
            device=device,
            options=options,
            key="",
            population=dataset.references.population if side == "target" else 0,
            relearn=self._relearned if side == "target" else 0,
            copies=dataset.references.copies,
            boundary=dataset.references.boundary,
        )
        keys = episode_keys(first, self.instances)
        return tuple(replace(first, original=original, key=key) for original, key in enumerate(keys))

    def _references(self, shared: Shared, target: Sequence[EpisodeTask], models: int) -> tuple[ReferenceTask, ...]:
        """Return the first reference models, which the adversary trains with its own model on the target's data set."""
        if not models:
            return ()
        dataset, model, unlearner, scenario = shared
        first, made = target[0], self.instances.make(scenario, Scenario)
        engine, device = self._settings.of(model.on("shadow"))
        task = ReferenceTask(
            dataset=first.dataset,
            model=model.on("shadow"),
            unlearner=unlearner,
            defense=first.defense,
            records=first.sizes.records,
            number=0,
            per_request=dataset.references.per_request or deleted_and_added(made, first.sizes)[0],
            population=dataset.references.population,
            queried=queried_at_most(made, first.sizes, self.instances.records(first.dataset), first.seed),
            seed=first.seed,
            engine=engine,
            device=device,
            options=first.options,
            targets=tuple(episode.key for episode in target),
            key="",
        )
        keys = reference_keys(task, models, self.instances)
        return tuple(replace(task, number=number, key=key) for number, key in enumerate(keys))

    @cached_property
    def _references_read(self) -> int:
        """How many reference models the metrics read."""
        return max((self.instances.make(metric, Metric).reads_references for metric in self.suite.metrics), default=0)

    @cached_property
    def _relearned(self) -> int:
        """For how many epochs the metrics have models learn the deleted records again."""
        return max((self.instances.make(metric, Metric).relearns for metric in self.suite.metrics), default=0)

    @cached_property
    def _retraining(self) -> PluginRef | None:
        return _retraining(self.suite, self.instances)


def unfit(dataset: PluginRef, model: PluginRef, unlearner: PluginRef, instances: PluginInstances) -> str:
    """Return why a model or an unlearner cannot be used with the records of a data set, or "" where they can."""
    records = instances.records(dataset)
    reason = instances.make(model, TargetModel).refusal(records.x.shape[1:])
    return reason or instances.make(unlearner, Unlearner).refusal_of_records(records) or ""


def refusal(model: PluginRef, unlearner: PluginRef, defense: PluginRef, instances: PluginInstances) -> str:
    """Return why a model cannot be trained for this unlearner and defense, or "" where it can."""
    made = instances.make(model, TargetModel)
    if reason := instances.make(unlearner, Unlearner).refusal(made):
        return reason
    unknown = instances.make(defense, Defense).training().used - made.options
    return f"{model.name} cannot be trained with {', '.join(sorted(unknown))}" if unknown else ""


def _retraining(suite: Suite, instances: PluginInstances) -> PluginRef | None:
    """Return the unlearner whose cells a metric reads, None where no metric does. UserError where it is disabled."""
    if not any(instances.make(metric, Metric).reads_retrained for metric in suite.metrics):
        return None
    registry = instances.registry
    for entry in registry.all("unlearner"):
        if entry.joins and entry.plugin.role == "baseline":
            return default_ref(registry, "unlearner", entry.name)
    raise UserError("retraining, which a metric compares with, is disabled; drop --disable-plugin")
