"""An audit as text, as data and as one HTML page that needs no other file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np

from unlearnbench.audit.findings import FPRS, AttackFinding
from unlearnbench.audit.leak import Audit
from unlearnbench.audit.one_run import DELTA, OneRun
from unlearnbench.audit.reading import ROLES
from unlearnbench.audit.risk import SMALLEST_GROUP, group_risks, record_risks
from unlearnbench.audit.verdict import SMALLEST_P, Verdict
from unlearnbench.core.messages import counted
from unlearnbench.core.scenarios import Role
from unlearnbench.report.numbers import number
from unlearnbench.report.site.curves import RATES, RocFigure, RocGroup, drawn_rates, roc_figure
from unlearnbench.report.site.html import TEMPLATES as SITE_TEMPLATES
from unlearnbench.report.site.html import digest, new_environment
from unlearnbench.stats import Roc, roc_curve

TEMPLATES: Final = Path(__file__).parent / "templates"
HEADERS: Final = (
    "attack",
    "queries",
    "AUC",
    "AUC, retained",
    *(f"TPR at {100 * fpr:g} % FPR" for fpr in FPRS),
    "p",
)
QUERIES: Final = {"both": "both models", "original": "original only", "unlearned": "unlearned only", "none": "no model"}
MOST_CURVES: Final = 6
GROUP_HEADERS: Final = ("group", "deleted", "unseen", "AUC")
MODELS_HEADERS: Final = ("models", "deleted", "unseen", "AUC")
ONE_RUN_HEADERS: Final = ("attack", "queries", "coins guessed", "right", "epsilon at least")
RECORD_HEADERS: Final = ("record", "unseen records that look as much deleted")
ONE_RUN_NOTE: Final = f"What one run proves about epsilon, delta {DELTA:g}"
MOST_RECORDS: Final = 10
"""Deleted records that are listed."""


def table(audit: Audit) -> list[list[str]]:
    """Return a line of text for each attack, under :data:`HEADERS`."""
    return [
        [
            finding.attack,
            QUERIES[finding.versions],
            number(finding.auc),
            number(finding.auc_retained),
            *(number(finding.tpr[fpr]) for fpr in FPRS),
            _p(finding.p if finding.adjusted_p is None else finding.adjusted_p),
        ]
        for finding in audit.findings
    ]


def group_table(audit: Audit) -> list[list[str]]:
    """Return a line of text for each group that is large enough, under :data:`GROUP_HEADERS`."""
    return [[risk.group, str(risk.forgotten), str(risk.unseen), number(risk.auc)] for risk in group_risks(audit)[0]]


def group_note(audit: Audit) -> str:
    """Return which attack and which groups the table of groups is about."""
    small = group_risks(audit)[1]
    left_out = f"; {small} with fewer than {SMALLEST_GROUP} deleted or unseen records are not shown" if small else ""
    return f"By group, {audit.findings[0].attack} against unseen records of the same group{left_out}"


def record_table(audit: Audit) -> list[list[str]]:
    """Return a line of text for each of the records that stand out most, under :data:`RECORD_HEADERS`."""
    return [
        [risk.record, f"{100 * risk.share:.1f} % [{100 * risk.low:.1f}, {100 * risk.high:.1f}]"]
        for risk in record_risks(audit)[:MOST_RECORDS]
    ]


def models_table(audit: Audit) -> list[list[str]]:
    """Return a line of text for each number of reference models, under :data:`MODELS_HEADERS`."""
    return [
        [str(n), *(str(finding.scored.count(role)) for role in (Role.FORGOTTEN, Role.UNSEEN)), number(finding.auc)]
        for n, finding in audit.by_models.items()
    ]


def models_note(audit: Audit) -> str:
    """Return what the table of reference models is about."""
    return f"What {next(iter(audit.by_models.values())).attack} shows with how many reference models"


def one_run_table(bounds: Sequence[OneRun]) -> list[list[str]]:
    """Return a line of text for each attack, under :data:`ONE_RUN_HEADERS`."""
    return [
        [one.attack, QUERIES[one.versions], f"{one.guesses} of {one.coins}", str(one.correct), f"{one.epsilon:.3g}"]
        for one in bounds
    ]


def _p(p: float) -> str:
    return f"{p:.3f}".replace("0.", ".", 1) if p >= SMALLEST_P else "< .001"


def about(audit: Audit) -> str:
    """Return a line about the records and files that were audited."""
    target, given = audit.target, audit.given
    counts = ", ".join(f"{target.count(role)} {name}" for name, role in ROLES.items())
    population = f", a population of {target.population_size}" if target.population_size else ""
    shadow = f"shadow {given.shadow.file.name}" if given.shadow else "no shadow data"
    references = f"; {counted(given.references.count, 'reference model')}" if given.references else ""
    return f"{target.file.name}: {counts} records{population}, {target.n_classes} classes; {shadow}{references}"


def not_tried(audit: Audit) -> list[tuple[str, str]]:
    """Return the attacks that were left out, and why, those of one reason together."""
    reasons = dict.fromkeys(audit.left_out.values())
    return [(", ".join(name for name, own in audit.left_out.items() if own == reason), reason) for reason in reasons]


def to_dict(audit: Audit, verdict: Verdict, bounds: Sequence[OneRun] = ()) -> dict[str, object]:
    """Return the audit as JSON-able data; of files only the names."""
    target, given, (groups, small_groups) = audit.target, audit.given, group_risks(audit)
    return {
        "file": target.file.name,
        "shadow": given.shadow.file.name if given.shadow else None,
        "references": given.references.file.name if given.references else None,
        "reference_models": given.references.count if given.references else 0,
        "rows": {name: target.count(role) for name, role in ROLES.items()},
        "population": target.population_size,
        "classes": target.n_classes,
        "originals": target.originals,
        "requests": target.requests,
        "intervals_over": "originals" if target.by_original else "requests",
        "verdict": asdict(verdict),
        "attacks": [_finding_dict(finding) for finding in audit.findings],
        "left_out": dict(audit.left_out),
        "not_judged": {name: asdict(few) for name, few in audit.not_judged.items()},
        "by_models": [{"models": n, **_finding_dict(finding)} for n, finding in audit.by_models.items()],
        "one_run": [{**asdict(one), "delta": DELTA} for one in bounds],
        "groups": [asdict(risk) for risk in groups],
        "groups_too_small": small_groups,
        "records": [asdict(risk) for risk in record_risks(audit)],
    }


def _finding_dict(finding: AttackFinding) -> dict[str, object]:
    return {
        "attack": finding.attack,
        "versions": finding.versions,
        "reference_models": finding.models,
        "control": finding.control,
        "auc": asdict(finding.auc),
        "auc-retained": asdict(finding.auc_retained),
        **{f"tpr-at-fpr-{fpr:g}": asdict(tpr) for fpr, tpr in finding.tpr.items()},
        "p": finding.p,
        "p_adjusted": finding.adjusted_p,
    }


def html(audit: Audit, verdict: Verdict, bounds: Sequence[OneRun] = ()) -> str:
    """Return the page. Every text from a file or a plug-in is escaped; there is no script and nothing is loaded."""
    from markupsafe import Markup

    files = (SITE_TEMPLATES / "board.css", TEMPLATES / "audit.css")
    style = Markup("".join(file.read_text("utf-8") for file in files))  # noqa: S704 our own files
    return (
        new_environment(TEMPLATES)
        .get_template("audit.html.j2")
        .render(
            audit=audit,
            about=about(audit),
            verdict=verdict,
            headers=HEADERS,
            lines=list(zip(audit.findings, table(audit), strict=True)),
            roc=_curves(audit),
            groups=group_table(audit),
            group_headers=GROUP_HEADERS,
            group_note=group_note(audit),
            by_models=models_table(audit),
            models_headers=MODELS_HEADERS,
            models_note=models_note(audit) if audit.by_models else "",
            one_run=one_run_table(bounds),
            one_run_headers=ONE_RUN_HEADERS,
            one_run_note=ONE_RUN_NOTE,
            records=record_table(audit),
            record_headers=RECORD_HEADERS,
            not_tried=not_tried(audit),
            style=style,
            style_digest=digest(style),
        )
    )


def _curves(audit: Audit) -> RocFigure | None:
    """Return the figure of the first attacks that are no controls, forgotten records against unseen ones."""
    shown: Sequence[AttackFinding] = [finding for finding in audit.findings if not finding.control][:MOST_CURVES]
    rates = RATES[drawn_rates(min(finding.scored.count(Role.UNSEEN) for finding in shown))]
    curves = {one.attack: Roc(rates, _curve(one).tpr_at(rates)) for one in shown}
    return roc_figure([RocGroup(audit.target.file.name, curves)])


def _curve(finding: AttackFinding) -> Roc:
    role = finding.scored.rows.role
    chosen = np.isin(role, (Role.FORGOTTEN, Role.UNSEEN))
    return roc_curve(finding.scores[chosen], role[chosen] == Role.FORGOTTEN)
