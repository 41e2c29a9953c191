"""What an audit says in words that need no statistics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unlearnbench.audit.answers import Answers
from unlearnbench.audit.leak import Audit, Finding
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.scenarios import Role
from unlearnbench.core.seeding import SeedPath
from unlearnbench.stats import MIN_CLUSTERS, counts_differ
from unlearnbench.stats.tpr import NONMEMBERS_PER_FPR

Outcome = Literal["leak", "no leak found", "cannot tell"]

SMALLEST_P = 0.001
ALPHA = 0.05
"""A leak is called one where chance would do as well less often than this, all attacks together (Holm)."""
LABELS_LEVEL = 0.001
"""Below this p-value of equal label distributions, the audit warns."""


@dataclass(frozen=True)
class Verdict:
    """The outcome, its headline, and what there is to say of it, a sentence or two each."""

    outcome: Outcome
    headline: str
    sentences: tuple[str, ...]


def judge(audit: Audit) -> Verdict:
    """Return the verdict on the attacks that compare both models, and what else the answers show."""
    comparing = [finding for finding in audit.findings if finding.compares]
    strongest = max(comparing, key=_distance)
    few = min(audit.target.samples(Role.FORGOTTEN), audit.target.samples(Role.UNSEEN))
    if few < MIN_CLUSTERS:
        outcome, headline, said = _cannot_tell(audit.target, strongest, few)
    elif min(_adjusted(finding) for finding in comparing) < ALPHA:
        found = max((finding for finding in comparing if _adjusted(finding) < ALPHA), key=_distance)
        outcome, headline, said = _leak(found, len(comparing))
    else:
        outcome, headline, said = _nothing(comparing, strongest)
    return Verdict(outcome, headline, (*said, *_beside(audit), _scope(audit.target), *_cautions(audit)))


Told = tuple[Outcome, str, list[str]]


def _leak(found: Finding, attacks: int) -> Told:
    headline = "Leak: answers before and after the deletion tell who was deleted, better than chance."
    chance = f"Chance would do as well with probability {_p(_adjusted(found))}, all {attacks} attacks considered."
    if (found.auc.value or 0) < 0.5:
        turned = (
            f"{found.attack} ranks deleted records below never-seen ones: it has only {_pairs(found.auc)} right, where "
            f"guessing has 50. Turned round, it tells them apart. {chance}"
        )
        return "leak", headline, [turned]
    told = f"Given a deleted and a never-seen record, {found.attack} tells which is which in {_pairs(found.auc)}"
    alarms = [_found(fpr, share) for fpr, share in found.found.items()]
    return "leak", headline, [f"{told}; guessing would in 50. {chance}", *alarms, *_against_retained(found)]


def _nothing(comparing: list[Finding], strongest: Finding) -> Told:
    highs = [finding.auc.high for finding in comparing if finding.auc.high is not None]
    told = f"The strongest, {strongest.attack}, tells a deleted from a never-seen record in {_pairs(strongest.auc)}"
    missed = (
        f"A leak that is right in {_of_100(max(highs))} of 100 pairs would have gone unnoticed here." if highs else ""
    )
    return (
        "no leak found",
        'No leak found by these attacks. That is not "no leak".',
        [f"{told}; guessing would in 50. {missed}".strip()],
    )


def _cannot_tell(target: Answers, strongest: Finding, few: int) -> Told:
    what = "original models" if target.by_original else "deletion requests and as many unseen records"
    return (
        "cannot tell",
        f"Cannot tell: an interval needs {MIN_CLUSTERS} {what}, here are {few}.",
        [f"The strongest attack, {strongest.attack}, is right in {_pairs(strongest.auc)}; so may chance be."],
    )


def _beside(audit: Audit) -> Iterator[str]:
    """Tell what there was to know before the deletion, and what is left after it."""
    for finding in audit.findings:
        if finding.sees == "original":
            yield (
                f"Without the unlearned model, {finding.attack} is right in {_pairs(finding.auc)}: that much the "
                "original model gave away before any deletion."
            )
        elif finding.sees == "unlearned":
            yield f"The unlearned model alone: {finding.attack} is right in {_pairs(finding.auc)}. {_traces(finding)}"


def _traces(finding: Finding) -> str:
    if finding.p >= ALPHA:
        return "It treats deleted records as never-seen ones, as far as this shows."
    if (finding.auc.value or 0) > 0.5:
        return "It still remembers deleted records."
    return "It is less sure of deleted records than of never-seen ones: that too tells who was deleted."


def _scope(target: Answers) -> str:
    if target.by_original:
        return f"Intervals treat {target.originals} original models as the sample: models trained as these were."
    models = "pair of models" if target.originals == 1 else f"{target.originals} originals and what became of them"
    this = "this" if target.originals == 1 else "these"
    return (
        f"For {this} {models} only: intervals treat {_counted(target.requests, 'deletion request')} as the sample. "
        "Another training run may leak more or less."
    )


def _cautions(audit: Audit) -> Iterator[str]:
    if audit.shadow is None:
        yield "Attacks that learn from shadow models were not tried; they are often the stronger ones."
    if (p := labels_differ(audit.target)) < LABELS_LEVEL:
        yield (
            f"Caution: the labels of forgotten and unseen records differ more than chance would have it (p {_p(p)}). "
            "Unseen records must be drawn as the forgotten ones were, or attacks may tell the two apart by that alone."
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


def _against_retained(found: Finding) -> Iterator[str]:
    if found.retained.value is not None:
        yield f"Against records that are still in the training set it is right in {_pairs(found.retained)}."


def _found(fpr: float, share: Estimate) -> str:
    wrongly = f"{_of_100(fpr)} of 100 never-seen ones"
    if share.value is None:
        needed = f"that takes {NONMEMBERS_PER_FPR / fpr:,.0f} unseen records"
        why = "too many of its scores are equal" if "ties" in share.reason else needed
        return f"How many it finds while it wrongly names at most {wrongly} cannot be said: {why}."
    named = f"{_of_100(share.value)}{_range(share)}"
    return f"Of 100 deleted records it finds {named} while it wrongly names at most {wrongly}."


def _pairs(estimate: Estimate) -> str:
    return f"{_of_100(estimate.value or 0)} of 100 pairs{_range(estimate)}"


def _range(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f" (95 % interval {_of_100(estimate.low)} to {_of_100(estimate.high)})"


def _of_100(share: float) -> str:
    return f"{100 * share:.0f}"


def _p(p: float) -> str:
    return f"{p:.2g}" if p >= SMALLEST_P else f"below {SMALLEST_P}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _adjusted(finding: Finding) -> float:
    return 1.0 if finding.adjusted is None else finding.adjusted


def _distance(finding: Finding) -> float:
    return abs((finding.auc.value or 0.5) - 0.5)
