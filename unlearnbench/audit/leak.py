"""What all attacks that apply find in the answers, and how many reference models that takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from unlearnbench.audit.answers import Answers
from unlearnbench.audit.attempts import Given, attempt
from unlearnbench.audit.findings import AttackFinding
from unlearnbench.audit.references import LeftOut, References
from unlearnbench.core.errors import UserError
from unlearnbench.hooks.records import AttackPlugin
from unlearnbench.hooks.registry import Registry
from unlearnbench.stats import holm

FEWEST: Final = 4
"""The least number of reference models that attacks on single records are tried with."""


@dataclass(frozen=True, eq=False)
class Audit:
    """What all attacks find in the answers of one side."""

    given: Given
    findings: Sequence[AttackFinding]
    """Those that compare both models first; of these the highest AUC first."""
    left_out: Mapping[str, str]
    """The attacks that were not tried, with the reason."""
    by_models: Mapping[int, AttackFinding]
    """What the attack on single records whose AUC is farthest from chance finds with 4, 8, 16, ... and all reference
    models; empty without them."""

    @property
    def target(self) -> Answers:
        """The answers that are audited."""
        return self.given.target

    @property
    def not_judged(self) -> Mapping[str, LeftOut]:
        """How many records of each role, and of the population, reference models cannot judge; empty without them."""
        return self.given.references.left_out(self.target) if self.given.references else {}


def audit(target: Answers, shadow: Answers | None, registry: Registry, references: References | None = None) -> Audit:
    """Try every attack of the registry that the answers allow, with its default parameters.

    Attacks that learn are tried where there is a ``shadow``, those on single records where there are ``references``:
    with all of these. UserError where classes are not those of the target, and where no attack that compares both
    models applies.
    """
    if shadow:
        _check_alike(target, shadow)
    given, models = Given(target, shadow, references), references.count if references else 0
    plugins = {entry.plugin.name: entry.plugin for entry in registry.all("attack")}
    attempts = {
        name: attempt(plugin, given, registry, models)
        for name, plugin in plugins.items()
        if isinstance(plugin, AttackPlugin) and not plugin.knows_truth
    }
    findings = [found for found in attempts.values() if isinstance(found, AttackFinding)]
    if not any(finding.compares for finding in findings):
        raise UserError("allows no attack that compares both models; give labels, or shadow data", str(target.file))
    left_out = {name: reason for name, reason in attempts.items() if isinstance(reason, str)}
    return Audit(
        given, sorted(_adjusted(findings), key=_strength), left_out, _by_models(findings, given, registry, models)
    )


def _check_alike(target: Answers, shadow: Answers) -> None:
    if shadow.n_classes != target.n_classes:
        raise UserError(
            f"has {shadow.n_classes} classes, {target.file.name} has {target.n_classes}; they must be the same classes",
            str(shadow.file),
        )
    if np.array_equal(shadow.rows.before, target.rows.before):
        raise UserError(
            f"holds the answers of {target.file}; give those of the adversary's own models", str(shadow.file)
        )


def _by_models(
    findings: Sequence[AttackFinding], given: Given, registry: Registry, models: int
) -> Mapping[int, AttackFinding]:
    """Return what the strongest attack on single records finds, by the number of reference models."""
    single = [finding for finding in findings if finding.models and not finding.control]
    if not single:
        return {}
    strongest = max(single, key=lambda finding: finding.distance)
    plugin = registry.get("attack", strongest.attack).plugin
    assert isinstance(plugin, AttackPlugin)  # noqa: S101 - one of this kind
    fewer = {n: attempt(plugin, given, registry, n) for n in doublings(models)}
    found = {n: each for n, each in fewer.items() if isinstance(each, AttackFinding)}
    return {**found, models: strongest}


def doublings(models: int) -> list[int]:
    """Return 4, 8, 16, ... as far as they are less than the number of models."""
    return [FEWEST * 2**k for k in range(models.bit_length()) if FEWEST * 2**k < models]


def _adjusted(findings: Sequence[AttackFinding]) -> list[AttackFinding]:
    comparing = [finding for finding in findings if finding.compares]
    adjusted = holm([finding.p for finding in comparing])
    rest = [finding for finding in findings if not finding.compares]
    return [*(replace(one, adjusted_p=float(p)) for one, p in zip(comparing, adjusted, strict=True)), *rest]


def _strength(finding: AttackFinding) -> tuple[bool, bool, float]:
    return not finding.compares, finding.control, -(finding.auc.value or 0.0)
