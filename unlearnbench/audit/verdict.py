"""What an audit found, in words for readers without statistics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from typing import Literal

import numpy as np

from unlearnbench.audit.answers import Answers
from unlearnbench.audit.findings import AttackFinding
from unlearnbench.audit.leak import Audit
from unlearnbench.audit.references import LEAST
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.messages import counted
from unlearnbench.core.scenarios import Role
from unlearnbench.core.seeding import SeedPath
from unlearnbench.stats import MIN_CLUSTERS, counts_differ
from unlearnbench.stats.clusters import clusters_of
from unlearnbench.stats.tpr import NONMEMBERS_PER_FPR

Outcome = Literal["leak", "no leak found", "cannot tell"]

SMALLEST_P = 0.001
"""Smaller p-values are given as "below"."""
ALPHA = 0.05
"""The level at which a leak is called one, over all attacks that compare both models (Holm)."""
LABELS_LEVEL = 0.001
"""Below this p-value of equal label distributions, the audit warns."""


@dataclass(frozen=True)
class Verdict:
    """The result of an audit in words."""

    outcome: Outcome
    headline: str
    sentences: tuple[str, ...]
    """What supports the outcome and what limits it, a sentence or two each."""


def judge(audit: Audit) -> Verdict:
    """Return the verdict on the attacks that compare both models, and what else the answers show."""
    comparing = [finding for finding in audit.findings if finding.compares]
    strongest = max(comparing, key=lambda finding: finding.distance)
    if reason := _too_few(audit.target):
        verdict = _cannot_tell(strongest, reason)
    elif significant := [finding for finding in comparing if _adjusted_p(finding) < ALPHA]:
        verdict = _leak(max(significant, key=lambda finding: finding.distance), len(comparing))
    else:
        verdict = _no_leak_found(comparing, strongest)
    more = (*_other_attacks(audit), _scope(audit.target), *_cautions(audit))
    return replace(verdict, sentences=(*verdict.sentences, *more))


def _leak(found: AttackFinding, attacks: int) -> Verdict:
    headline = "Leak: the answers before and after the deletion identify deleted records better than chance."
    chance = f"By chance this happens with probability {_p(_adjusted_p(found))}, all {attacks} attacks considered."
    if (found.auc.value or 0) < 0.5:
        reversed_ = (
            f"{found.attack} ranks a deleted record above an unseen one in only {_pairs(found.auc)}; chance is 50. "
            f"The reversed ranking identifies deleted records. {chance}"
        )
        return Verdict("leak", headline, (reversed_,))
    rates = [_tpr(fpr, tpr) for fpr, tpr in found.tpr.items()]
    return Verdict("leak", headline, (f"{_ranks(found)}; chance is 50. {chance}", *rates, *_against_retained(found)))


def _no_leak_found(comparing: list[AttackFinding], strongest: AttackFinding) -> Verdict:
    largest = [max(high, 1 - low) for finding in comparing for low, high in _ends(finding.auc)]  # either direction
    missed = (
        f" A leak of up to {_of_100(max(largest))} of 100 pairs would not have been detected here." if largest else ""
    )
    return Verdict(
        "no leak found",
        'No leak found by these attacks. That is not "no leak".',
        (f"The strongest attack: {_ranks(strongest)}; chance is 50.{missed}",),
    )


def _too_few(target: Answers) -> str:
    """Return why there can be no interval; empty where there can."""
    chosen = np.isin(target.rows.role, (Role.FORGOTTEN, Role.UNSEEN))
    positive = target.rows.role[chosen] == Role.FORGOTTEN
    clusters = clusters_of(target.cluster[chosen], len(positive), positive=positive)
    what = "original models" if target.by_original else "deletion requests"
    if clusters.fewest < MIN_CLUSTERS:
        many = what if target.by_original else f"{what} and as many unseen records"
        return f"an interval needs {MIN_CLUSTERS} {many}; there are {clusters.fewest}"
    return f"nearly all records are of a few large {what}" if clusters.too_few else ""


def _cannot_tell(strongest: AttackFinding, reason: str) -> Verdict:
    told = f"The strongest attack: {_ranks(strongest)}; that may be chance."
    return Verdict("cannot tell", f"Cannot tell: {reason}.", (told,))


def _other_attacks(audit: Audit) -> Iterator[str]:
    """Yield what the original model alone and the unlearned model alone reveal."""
    for finding in audit.findings:
        if finding.versions == "original":
            yield (
                f"Without the unlearned model, {_ranks(finding)}: the original model revealed that much before any "
                "deletion."
            )
        elif finding.versions == "unlearned":
            yield f"With the unlearned model alone, {_ranks(finding)}. {_remembered(finding)}"


def _remembered(finding: AttackFinding) -> str:
    if finding.p >= ALPHA:
        return "No difference between deleted and unseen records was found."
    if (finding.auc.value or 0) > 0.5:
        return "It still remembers deleted records."
    return "It is less confident on deleted records than on unseen ones, which identifies them too."


def _scope(target: Answers) -> str:
    if target.by_original:
        return f"Intervals treat {target.originals} original models as the sample: models trained as these were."
    models = "pair of models" if target.originals == 1 else f"{target.originals} originals and their unlearned models"
    this = "this" if target.originals == 1 else "these"
    return (
        f"For {this} {models} only: intervals treat {counted(target.requests, 'deletion request')} as the sample. "
        "Another training run may leak more or less."
    )


def _cautions(audit: Audit) -> Iterator[str]:
    if audit.given.shadow is None:
        yield "Attacks that learn from shadow models were not tried; they are often stronger."
    yield from _by_models(audit)
    yield from _not_judged(audit)
    if (p := labels_differ(audit.target)) < LABELS_LEVEL:
        yield (
            f"Caution: the labels of forgotten and unseen records differ more than by chance (p {_p(p)}). "
            "Unseen records must be drawn as the forgotten ones were; else attacks may distinguish them by that alone."
        )


def _by_models(audit: Audit) -> Iterator[str]:
    """Yield what is visible with how many reference models."""
    found = [f"{_of_100(finding.auc.value or 0)} with {n} of them" for n, finding in audit.by_models.items()]
    for attack in {finding.attack for finding in audit.by_models.values()}:
        yield (
            f"Reference models judge single records. Of 100 pairs {attack} ranks the deleted record higher in "
            f"{', '.join(found)}. More models may find more."
        )


def _not_judged(audit: Audit) -> Iterator[str]:
    """Yield how many records reference models cannot judge, and why."""
    some = {name: few for name, few in audit.not_judged.items() if few.total}
    if some:
        counts = ", ".join(f"{few.total} {name}" for name, few in some.items())
        unanswered, one_sided = (sum(each) for each in zip(*map(astuple, some.values()), strict=True))
        yield (
            f"Attacks on single records leave out {counts} records: about {unanswered} some reference model has no "
            f"answer; on {one_sided} fewer than {LEAST} models were trained, or all but fewer than {LEAST}. "
            "Nothing is filled in."
        )


def labels_differ(target: Answers) -> float:
    """Return the p-value of forgotten and unseen records having the same label distribution, 1 without labels.

    Where they differ, unseen records were not drawn as the forgotten ones were, and a high AUC may come from that.
    """
    rows = target.rows
    forgotten, unseen = (
        np.bincount(rows.label[rows.role == role], minlength=target.n_classes) for role in (Role.FORGOTTEN, Role.UNSEEN)
    )
    return counts_differ(forgotten, unseen, SeedPath(0, ("audit", "labels")).rng())


def _against_retained(found: AttackFinding) -> Iterator[str]:
    if found.auc_retained.value is not None:
        yield f"It ranks a deleted record above one that is still in the training set in {_pairs(found.auc_retained)}."


def _tpr(fpr: float, tpr: Estimate) -> str:
    false_positives = f"false positives among at most {_of_100(fpr)} of 100 unseen ones"
    if tpr.value is None:
        needed = f"that takes {NONMEMBERS_PER_FPR / fpr:,.0f} unseen records"
        why = "too many of its scores are equal" if "ties" in tpr.reason else needed
        return f"How many it finds with {false_positives} is not known: {why}."
    return f"It finds {_of_100(tpr.value)} of 100 deleted records{_range(tpr)} with {false_positives}."


def _ranks(finding: AttackFinding) -> str:
    return f"{finding.attack} ranks a deleted record above an unseen one in {_pairs(finding.auc)}"


def _pairs(estimate: Estimate) -> str:
    return f"{_of_100(estimate.value or 0)} of 100 pairs{_range(estimate)}"


def _range(estimate: Estimate) -> str:
    return "".join(f" (95 % interval {_of_100(low)} to {_of_100(high)})" for low, high in _ends(estimate))


def _ends(estimate: Estimate) -> Iterator[tuple[float, float]]:
    """Yield the interval, if there is one."""
    if estimate.low is not None and estimate.high is not None:
        yield estimate.low, estimate.high


def _of_100(share: float) -> str:
    return f"{100 * share:.0f}"


def _p(p: float) -> str:
    return f"{p:.2g}" if p >= SMALLEST_P else f"below {SMALLEST_P}"


def _adjusted_p(finding: AttackFinding) -> float:
    return 1.0 if finding.adjusted_p is None else finding.adjusted_p
