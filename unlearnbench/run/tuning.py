"""Tuning unlearners: equal trials for each, on development originals, never with retrained models.

A trial is a parameter setting and the episodes that it is tried on. These are episodes as any others: the store keeps
them, an executor makes them, and a tuning that was stopped goes on. Development originals are further originals of the
shadow side with the suite's first seed, so none of their records is in the target half of that seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from unlearnbench.core.errors import UserError
from unlearnbench.core.messages import as_line
from unlearnbench.core.options import PLAIN
from unlearnbench.core.ranges import Space
from unlearnbench.core.scenarios import Role
from unlearnbench.core.seeding import SeedPath, keyed_uniforms
from unlearnbench.hooks.parameters import ParameterError, resolve
from unlearnbench.hooks.records import Kind, UnlearnerPlugin
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.cells import EpisodeTask
from unlearnbench.run.episodes import Episode
from unlearnbench.run.evaluation import read_episode
from unlearnbench.run.expansion import Shared, refusal, unfit
from unlearnbench.run.failures import FailedElsewhereError
from unlearnbench.run.instances import PluginInstances, default_ref
from unlearnbench.run.keys import episode_keys
from unlearnbench.run.settings import Settings
from unlearnbench.run.sizes import refused_records
from unlearnbench.run.store import Store
from unlearnbench.suite.model import PluginRef, Suite
from unlearnbench.suite.tuning import TrialRecord, Tuning

UNLEARNER: Kind = "unlearner"


@dataclass(frozen=True)
class Trial:
    """One setting of one unlearner."""

    base: PluginRef
    """The unlearner as the suite lists it."""
    number: int
    """From 1 on."""
    values: Mapping[str, object]
    """The parameters that the trial sets."""
    tried: PluginRef | None
    """The unlearner with these parameters; None where it does not take them."""
    reason: str = ""
    """Why it does not."""
    episodes: tuple[EpisodeTask, ...] = ()


@dataclass(frozen=True)
class Tried:
    """A trial and what came of it."""

    trial: Trial
    objective: float
    """The lower the better; infinite where it failed."""
    reason: str = ""
    """Why it failed."""


def trials_of(suite: Suite, out: Path, instances: PluginInstances) -> list[Trial]:
    """Return the trials of all unlearners that have a parameter of the search space.

    UserError where the suite has no key ``tune`` or none of its unlearners such a parameter, where the adversary has
    fewer requests than a development original, or where plug-in files do not lie beside what is written to ``out``.
    """
    tuning, file = suite.tune, str(suite.path or suite.name)
    if tuning is None:
        raise UserError('the suite has no key "tune"; give it a search space', file)
    if suite.path and suite.plugins and out.resolve() != suite.path.resolve().parent:
        raise UserError(f"its plug-in files lie beside it; add --out {suite.path.parent}", file)
    for dataset in suite.datasets:
        if tuning.requests > (most := dataset.adversary.requests):
            raise UserError(
                f"tune: requests: must be at most those of the adversary, {most}, got {tuning.requests}", file
            )
    settings = Settings(instances, suite.engine, suite.device)
    trials = [
        replace(trial, episodes=_episodes(suite, tuning, trial.tried, instances, settings))
        for base in suite.unlearners
        for trial in settings_of(base, tuning, suite.seeds[0], instances.registry)
    ]
    if not trials:
        raise UserError(f"tune: no unlearner of the suite has a parameter {' or '.join(tuning.space)}", file)
    return trials


def settings_of(base: PluginRef, tuning: Tuning, seed: int, registry: Registry) -> Iterator[Trial]:
    """Yield the trials of one unlearner, without episodes; none where it has no parameter to try.

    The values of a parameter are the same for all unlearners: stratified draws (a Latin hypercube), by the seed and the
    name of the parameter.
    """
    space = space_of(base, tuning, registry)
    if not space:
        return
    drawn = {name: drawn_values(space, name, tuning.trials, seed) for name in space}
    for number in range(1, tuning.trials + 1):
        values = {name: drawn[name][number - 1] for name in space}
        try:
            params = resolve(registry.get(UNLEARNER, base.name), {**base.params, **values})
            yield Trial(base, number, values, default_ref(registry, UNLEARNER, base.name, params))
        except ParameterError as error:
            yield Trial(base, number, values, None, str(error))


def space_of(base: PluginRef, tuning: Tuning, registry: Registry) -> Space:
    """Return what is tried of one unlearner: the suite's ranges of parameters that it has, and its own knobs."""
    plugin = registry.get(UNLEARNER, base.name).plugin
    own = plugin.knobs if tuning.knobs and isinstance(plugin, UnlearnerPlugin) else {}
    shared = {name: values for name, values in tuning.space.items() if name in base.params}
    return {**shared, **{name: values for name, values in own.items() if name not in shared}}


def drawn_values(space: Space, name: str, n: int, seed: int) -> list[object]:
    """Return ``n`` values of a parameter, one of each of n equal parts of its range, in random order."""
    path = SeedPath(seed) / "tune" / name
    shares = (path.permutation(n) + keyed_uniforms((path / "within").seed(), np.arange(n))) / n
    return [space[name].at(float(share)) for share in shares]


def _episodes(
    suite: Suite, tuning: Tuning, tried: PluginRef | None, instances: PluginInstances, settings: Settings
) -> tuple[EpisodeTask, ...]:
    if tried is None:
        return ()
    settled = product(suite.datasets, suite.models, suite.scenarios)
    return tuple(
        task
        for dataset, model, scenario in settled
        if not refusal(model.on("shadow"), tried, default_ref(instances.registry, "defense", "none"), instances)
        and not unfit(dataset.on("shadow"), model.on("shadow"), tried, instances)
        and not refused_records(dataset, scenario, instances)
        for task in _development(suite, tuning, (dataset, model.on("shadow"), tried, scenario), instances, settings)
    )


def _development(
    suite: Suite, tuning: Tuning, shared: Shared, instances: PluginInstances, settings: Settings
) -> Iterator[EpisodeTask]:
    """Yield the episodes on further originals of the shadow side."""
    dataset, model, unlearner, scenario = shared
    engine, device = settings.of(model)
    first = dataset.adversary.originals
    task = EpisodeTask(
        dataset=dataset.on("shadow"),
        model=model,
        unlearner=unlearner,
        scenario=scenario,
        defense=None,
        sizes=replace(dataset.adversary, originals=first + tuning.originals, requests=tuning.requests),
        side="shadow",
        original=0,
        seed=suite.seeds[0],
        engine=engine,
        device=device,
        options=PLAIN,
        key="",
    )
    keys = episode_keys(task, instances)
    return (replace(task, original=number, key=keys[number]) for number in range(first, len(keys)))


def objective(episode: Episode) -> float:
    """Return the mean of three costs in [0, 1], none of which needs a retrained model.

    The drop of the accuracy on retained records and of that on unseen ones, both against the original, 0 where there is
    none; and the distance between the accuracy on forgotten records and on unseen ones of the same law.
    """
    accuracy, rows = episode.accuracy, episode.observations.last_only()
    correct = rows.after[:, 0].argmax(axis=1) == rows.label
    forgotten, unseen = (correct[rows.role == role].mean() for role in (Role.FORGOTTEN, Role.UNSEEN))
    drops = (
        max(0.0, float(accuracy[f"{part}_original"][0] - accuracy[f"{part}_unlearned"].mean()))
        for part in ("train", "test")
    )
    return (sum(drops) + abs(float(forgotten - unseen))) / 3


def outcome_of(trial: Trial, most: float, store: Store) -> Tried:
    """Return what the store holds of a trial.

    It has failed, and counts as a trial, where any episode did, or where a request took more record passes than
    ``most``, over those of a retraining.
    """
    if trial.tried is None:
        return Tried(trial, np.inf, trial.reason)
    if not trial.episodes:
        return Tried(trial, np.inf, "no model, data set or scenario of the suite goes with it")
    try:
        episodes = [read_episode(task, store) for task in trial.episodes]
    except FailedElsewhereError as error:
        return Tried(trial, np.inf, error.failure.reason)
    passes = max(float(episode.passes.max()) for episode in episodes)
    if not passes <= most:
        told = "are not counted: override record_passes" if np.isnan(passes) else f"are {passes:.2f} of a retraining's"
        return Tried(trial, np.inf, f"its record passes {told}; {most:g} may be taken")
    return Tried(trial, float(np.mean([objective(episode) for episode in episodes])))


def best_of(tried: Sequence[Tried]) -> list[Trial]:
    """Return the best trial of each unlearner, the first of equals; none where all failed."""
    by_unlearner: dict[str, list[Tried]] = {}
    for one in (one for one in tried if np.isfinite(one.objective)):
        by_unlearner.setdefault(one.trial.base.label, []).append(one)
    return [min(group, key=lambda one: one.objective).trial for group in by_unlearner.values()]


def trial_records(tried: Sequence[Tried], best: Sequence[Trial]) -> tuple[TrialRecord, ...]:
    """Return every trial as the tuned suite tells it; ``best`` are those that were chosen."""
    return tuple(
        TrialRecord(
            one.trial.base.label,
            one.trial.number,
            one.trial.values,
            one.objective if np.isfinite(one.objective) else None,
            any(one.trial is each for each in best),
            as_line(one.reason),
        )
        for one in tried
    )


def tuned_suite(suite: Suite, best: Sequence[Trial], records: Sequence[TrialRecord]) -> dict[str, object]:
    """Return the suite, as in a file, with each unlearner's own and tuned setting side by side.

    In the place of what is to be tuned it tells every trial, so that all that is made of the suite does.
    """
    tuned = {trial.base.label: trial.tried for trial in best}
    listed: list[PluginRef] = []
    for ref in suite.unlearners:
        listed += [ref, tuned.get(ref.label) or ref]
    listed = list({ref.key: ref for ref in listed}.values())
    tuned_keys = {"suite": f"{suite.name}-tuned", "unlearners": [ref.to_dict() for ref in listed]}
    plain = suite.to_dict() | tuned_keys | suite.limits.to_dict() | {"trials": [one.to_dict() for one in records]}
    return {key: value for key, value in plain.items() if key != "tune"}
