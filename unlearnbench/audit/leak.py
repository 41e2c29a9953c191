"""What each attack that applies finds in the answers, with intervals and p-values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.audit.answers import Answers
from unlearnbench.audit.references import References
from unlearnbench.core.attacks import Attack, ScoreAttack
from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.executors import Failure
from unlearnbench.core.observations import Needs
from unlearnbench.core.records import Provenance, Records
from unlearnbench.core.scenarios import Role
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.versions import Versions
from unlearnbench.hooks.records import AttackPlugin
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.evaluation import scores_of
from unlearnbench.run.failures import guarded
from unlearnbench.run.game import Game
from unlearnbench.run.instances import PluginInstances, default_ref
from unlearnbench.stats import auc_above_half, clustered_auc, holm, tpr_at_fpr

FPRS: Final = (0.1, 0.01)
"""The false-positive rates at which true-positive rates are given."""


@dataclass(frozen=True, eq=False)
class AttackFinding:
    """What one attack finds."""

    attack: str
    versions: Versions
    """Which models it queries."""
    control: bool
    """Whether it shows that the measurement is valid, and nothing about the models."""
    auc: Estimate
    """AUC of forgotten against unseen records."""
    auc_retained: Estimate
    """AUC of forgotten against retained records."""
    tpr: Mapping[float, Estimate]
    """True-positive rates at the false-positive rates of :data:`FPRS`, unseen records being the negatives."""
    p: float
    """Two-sided p-value of an AUC of .5."""
    scores: NDArray[np.float64]
    """Scores (n,) of all rows."""
    adjusted_p: float | None = None
    """The p-value adjusted by Holm over the attacks that compare both models; None for the others."""

    @property
    def compares(self) -> bool:
        """Whether it compares both models, so that what it finds is due to the deletion."""
        return self.versions == "both" and not self.control


@dataclass(frozen=True, eq=False)
class Audit:
    """What all attacks find in the answers of one side."""

    target: Answers
    shadow: Answers | None
    """The answers that attacks learned from, if any."""
    references: References | None
    """The answers of reference models, if any."""
    findings: Sequence[AttackFinding]
    """Those that compare both models first; of these the highest AUC first."""
    left_out: Mapping[str, str]
    """The attacks that were not tried, with the reason."""


def audit(target: Answers, shadow: Answers | None, registry: Registry, references: References | None = None) -> Audit:
    """Try every attack of the registry that the answers allow, with its default parameters.

    Attacks that learn are tried where there is a ``shadow``, those on single records where there are ``references``:
    with all of these. UserError where classes are not those of the target, and where no attack that compares both
    models applies.
    """
    if shadow:
        _check_alike(target, shadow)
    plugins = [entry.plugin for entry in registry.all("attack")]
    attempts = {
        plugin.name: _attempt(plugin, target, shadow, references, PluginInstances(registry))
        for plugin in plugins
        if isinstance(plugin, AttackPlugin) and not plugin.knows_truth
    }
    findings = [found for found in attempts.values() if isinstance(found, AttackFinding)]
    if not any(finding.compares for finding in findings):
        raise UserError("allows no attack that compares both models; give labels, or shadow data", str(target.file))
    left_out = {name: reason for name, reason in attempts.items() if isinstance(reason, str)}
    return Audit(target, shadow, references, sorted(_adjusted(findings), key=_strength), left_out)


def _check_alike(target: Answers, shadow: Answers) -> None:
    if shadow.n_classes != target.n_classes:
        raise UserError(
            f"has {shadow.n_classes} classes, {target.file} has {target.n_classes}; they must be the same classes",
            str(shadow.file),
        )
    if np.array_equal(shadow.rows.before, target.rows.before):
        raise UserError(
            f"holds the answers of {target.file}; give those of the adversary's own models", str(shadow.file)
        )


def _attempt(
    plugin: AttackPlugin,
    target: Answers,
    shadow: Answers | None,
    references: References | None,
    instances: PluginInstances,
) -> AttackFinding | str:
    """Return what an attack finds, or why it was left out."""

    def attempt() -> AttackFinding | str:
        ref = default_ref(instances.registry, "attack", plugin.name)
        if references and "references" in ref.params:
            ref = default_ref(instances.registry, "attack", plugin.name, {"references": references.count})
        attack = instances.make(ref, Attack)
        if refusal := _refusal(attack, target, shadow, references):
            return refusal
        models = references.models if references else ()
        scores = scores_of(replace(_game(target, shadow), references=models), ref, instances).target
        return _finding(plugin, attack.needs.versions, scores, target)

    done = guarded(attempt)
    return f"failed: {done.reason}" if isinstance(done, Failure) else done


def _refusal(attack: Attack, target: Answers, shadow: Answers | None, references: References | None) -> str:
    """Return why the answers do not allow an attack; empty where they do."""
    needs = attack.needs
    learns = not isinstance(attack, ScoreAttack) and needs != Needs(versions="none")  # nothing seen, nothing to learn
    if needs.features:
        return "reads the records themselves, which are not in the file"
    if needs.references and references is None:
        return "needs the answers of reference models; give them as references"
    if references and needs.references > references.count:
        return f"needs {needs.references} reference models, and there are {references.count}"
    if needs.population:
        return f"needs answers about {needs.population} records of the population, which are not in the file"
    if needs.label and not target.has_label:
        return "needs the column label"
    if learns and shadow is None:
        return "learns from shadow models; give their answers as shadow data"
    if learns and needs.label and shadow and not shadow.has_label:
        return "needs the column label in the shadow data too"
    return ""


def _game(target: Answers, shadow: Answers | None) -> Game:
    """Return the game that attacks play; without shadow data its shadow side has no rows."""
    return Game.of(
        _records(target),
        [target.rows],
        [shadow.rows if shadow else target.rows.take(np.empty(0, dtype=np.int64))],
        positive=Role.FORGOTTEN,
        negative=Role.UNSEEN,
        seeds=SeedPath(0, ("audit",)),
        shadow_records=_records(shadow) if shadow else None,
    )


def _records(answers: Answers) -> Records:
    """Return records without features, as many as there may be ids."""
    n = len(answers.rows)
    return Records("audit", np.empty((n, 0)), np.zeros(n, dtype=np.int64), answers.n_classes, Provenance("", ""))


def _finding(plugin: AttackPlugin, versions: Versions, scores: NDArray[np.float64], target: Answers) -> AttackFinding:
    chosen, positive, cluster, record = _rows(target, Role.UNSEEN)
    own = scores[chosen]
    kept, forgotten, kept_cluster, kept_record = _rows(target, Role.RETAINED)
    return AttackFinding(
        attack=plugin.name,
        versions=versions,
        control=plugin.role == "control",
        auc=clustered_auc(own, positive, cluster, record=record),
        auc_retained=clustered_auc(scores[kept], forgotten, kept_cluster, record=kept_record),
        tpr={fpr: tpr_at_fpr(own, positive, fpr, cluster, record) for fpr in FPRS},
        p=min(1.0, 2 * min(auc_above_half(sign * own, positive, cluster, record) for sign in (1, -1))),
        scores=scores,
    )


def _rows(
    target: Answers, negative: Role
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Return which rows (n,) are forgotten or ``negative``, and of those: which are forgotten, clusters and records."""
    chosen = np.isin(target.rows.role, (Role.FORGOTTEN, negative))
    return chosen, target.rows.role[chosen] == Role.FORGOTTEN, target.cluster[chosen], target.rows.record[chosen]


def _adjusted(findings: Sequence[AttackFinding]) -> list[AttackFinding]:
    comparing = [finding for finding in findings if finding.compares]
    adjusted = holm([finding.p for finding in comparing])
    rest = [finding for finding in findings if not finding.compares]
    return [*(replace(one, adjusted_p=float(p)) for one, p in zip(comparing, adjusted, strict=True)), *rest]


def _strength(finding: AttackFinding) -> tuple[bool, bool, float]:
    return not finding.compares, finding.control, -(finding.auc.value or 0.0)
