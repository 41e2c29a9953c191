"""Trying an attack on the answers of an audit, with its default parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from unlearnbench.audit.answers import Answers
from unlearnbench.audit.findings import AttackFinding, finding_of
from unlearnbench.audit.references import References
from unlearnbench.core.attacks import Attack, ScoreAttack
from unlearnbench.core.executors import Failure
from unlearnbench.core.messages import counted
from unlearnbench.core.observations import Needs
from unlearnbench.core.records import Provenance, Records
from unlearnbench.core.scenarios import Role
from unlearnbench.core.seeding import SeedPath
from unlearnbench.hooks.records import AttackPlugin
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.evaluation import scores_of
from unlearnbench.run.failures import guarded
from unlearnbench.run.game import Game
from unlearnbench.run.instances import PluginInstances, default_ref
from unlearnbench.suite.model import PluginRef


@dataclass(frozen=True, eq=False)
class Given:
    """The answers that an audit was given."""

    target: Answers
    shadow: Answers | None
    """Those that attacks learn from, if any."""
    references: References | None
    """Those of reference models, if any."""

    def judged(self, models: int) -> Answers:
        """Return the answers of the target about the records that the first reference models can judge."""
        return self.references.judged(self.target, models) if self.references else self.target


def attempt(plugin: AttackPlugin, given: Given, registry: Registry, models: int) -> AttackFinding | str:
    """Return what an attack finds with the first reference models, or why it was left out."""
    instances = PluginInstances(registry)

    def found() -> AttackFinding | str:
        by_default = instances.make(default_ref(registry, "attack", plugin.name), Attack)
        scored = given.judged(models) if by_default.needs.references else given.target
        ref = _with_all(plugin, registry, {"references": models, "population": scored.population_size})
        attack = instances.make(ref, Attack)
        if refusal := _refusal(attack, given, scored, models):
            return refusal
        scores = scores_of(_game(given, scored), ref, instances).target
        return finding_of(plugin, attack.needs, scores, scored)

    done = guarded(found)
    return f"failed: {done.reason}" if isinstance(done, Failure) else done


def _with_all(plugin: AttackPlugin, registry: Registry, sizes: Mapping[str, int]) -> PluginRef:
    """Return the attack with as much as there is, where a parameter says how much it reads."""
    own = default_ref(registry, "attack", plugin.name).params
    return default_ref(registry, "attack", plugin.name, {name: n for name, n in sizes.items() if n and name in own})


def _refusal(attack: Attack, given: Given, scored: Answers, models: int) -> str:
    """Return why the answers do not allow an attack; empty where they do."""
    needs = attack.needs
    if needs.features:
        return "reads the records themselves, which are not in the file"
    if needs.copies:
        return "needs answers about noisy copies of records, which are not in the file"
    if needs.boundary:
        return "needs distances to the decision boundary, which are not in the file"
    if needs.references and (refusal := _too_few_models(needs, given, scored, models)):
        return refusal
    if needs.population > scored.population_size:
        return _too_small_population(needs, given.target, scored)
    if needs.label and not given.target.has_label:
        return "needs the column label"
    learns = not isinstance(attack, ScoreAttack) and needs != Needs(versions="none")  # nothing seen, nothing to learn
    return _no_shadow(needs, given.shadow) if learns else ""


def _no_shadow(needs: Needs, shadow: Answers | None) -> str:
    if shadow is None:
        return "learns from shadow models; give their answers as shadow data"
    if needs.retained and not shadow.count(Role.RETAINED):
        return "learns from retained records too, of which the shadow data has none"
    return "needs the column label in the shadow data too" if needs.label and not shadow.has_label else ""


def _too_few_models(needs: Needs, given: Given, scored: Answers, models: int) -> str:
    if given.references is None:
        return "needs the answers of reference models; give them as references"
    if needs.references > models:
        return f"needs {counted(needs.references, 'reference model')}, and there are {models}"
    both = scored.count(Role.FORGOTTEN) and scored.count(Role.UNSEEN)
    return "" if both else f"needs deleted and unseen records that {counted(models, 'reference model')} can judge"


def _too_small_population(needs: Needs, target: Answers, scored: Answers) -> str:
    if not target.population_size:
        return "needs answers about a population; give rows of the role population"
    asked = " that all reference models answer about" if needs.references else ""
    return (
        f"needs {counted(needs.population, 'record')} of the population{asked}, and there are {scored.population_size}"
    )


def _game(given: Given, scored: Answers) -> Game:
    """Return the game that attacks play; without shadow data its shadow side has no rows."""
    shadow = given.shadow
    game = Game.of(
        _records(given.target),
        [scored.rows],
        [shadow.rows if shadow else scored.rows.take(np.empty(0, dtype=np.int64))],
        positive=Role.FORGOTTEN,
        negative=Role.UNSEEN,
        seeds=SeedPath(0, ("audit",)),
        shadow_records=_records(shadow) if shadow else None,
        population=[scored.population] if scored.population_size else (),
    )
    return replace(game, references=given.references.models if given.references else ())


def _records(answers: Answers) -> Records:
    """Return records without features, as many as there may be ids."""
    n = len(answers.rows) + len(answers.population)
    return Records("audit", np.empty((n, 0)), np.zeros(n, dtype=np.int64), answers.n_classes, Provenance("", ""))
