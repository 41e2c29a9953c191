"""An audit as text, as data and as one HTML page that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from html import escape
from typing import Final

import numpy as np

from unlearnbench.audit.curve import Series, roc_svg
from unlearnbench.audit.leak import FALSE_ALARMS, Audit, Finding
from unlearnbench.audit.reading import ROLES
from unlearnbench.audit.verdict import SMALLEST_P, Verdict
from unlearnbench.core.scenarios import Role
from unlearnbench.report.numbers import number

HEADERS: Final = (
    "attack",
    "sees",
    "AUC",
    "against retained",
    *(f"found at {100 * fpr:g} %" for fpr in FALSE_ALARMS),
    "p",
)
MOST_CURVES: Final = 6
SEES: Final = {"both": "both models", "original": "original only", "unlearned": "unlearned only", "none": "no model"}

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #5b6169; --line: #d9dce1; --ground: #fff; --box: #f5f6f8;
  --c0: #0072b2; --c1: #b84a00; --c2: #007a58; --c3: #a8467f; --c4: #7a6000; --c5: #444; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --soft: #a6adb6; --line: #3a3f46; --ground: #16181b; --box: #1f2226;
    --c0: #6db9ee; --c1: #ff9a5c; --c2: #4fd0a7; --c3: #f0a3cc; --c4: #e5c64b; --c5: #bbb; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 3rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; }
h2 { font-size: 1.1rem; margin-top: 2.2rem; }
p, li { max-width: 46rem; }
.verdict { background: var(--box); border-left: .4rem solid var(--c4); padding: .2rem 1.2rem; }
.verdict.leak { border-color: var(--c1); }
.verdict strong { font-size: 1.15rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .8rem .35rem 0; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); }
svg { width: 100%; max-width: 38rem; height: auto; font: 12px system-ui, sans-serif; fill: var(--ink); }
.frame { fill: none; stroke: var(--line); }
.chance { stroke: var(--soft); stroke-dasharray: 3 4; }
.curve { fill: none; stroke-width: 2; }
.mid { text-anchor: middle; }
.end { text-anchor: end; }
.note, footer { color: var(--soft); font-size: .9rem; }
"""


def table(audit: Audit) -> list[list[str]]:
    """Return a line of text for each attack, under :data:`HEADERS`."""
    return [
        [
            finding.attack,
            SEES[finding.sees],
            number(finding.auc),
            number(finding.retained),
            *(number(finding.found[fpr]) for fpr in FALSE_ALARMS),
            _p(finding.p if finding.adjusted is None else finding.adjusted),
        ]
        for finding in audit.findings
    ]


def _p(p: float) -> str:
    return f"{p:.3f}".replace("0.", ".", 1) if p >= SMALLEST_P else "< .001"


def about(audit: Audit) -> str:
    """Return what was looked at, in one line."""
    target = audit.target
    counts = ", ".join(f"{target.count(role)} {name}" for name, role in ROLES.items())
    shadow = f"shadow {audit.shadow.file.name}" if audit.shadow else "no shadow data"
    return f"{target.file.name}: {counts} records, {target.n_classes} classes; {shadow}"


def not_tried(audit: Audit) -> list[tuple[str, str]]:
    """Return the attacks that were left out, and why, those of one reason together."""
    reasons = dict.fromkeys(audit.left_out.values())
    return [(", ".join(name for name, own in audit.left_out.items() if own == reason), reason) for reason in reasons]


def to_dict(audit: Audit, verdict: Verdict) -> dict[str, object]:
    """Return the audit as JSON-able data; of files only the names."""
    target = audit.target
    return {
        "file": target.file.name,
        "shadow": audit.shadow.file.name if audit.shadow else None,
        "rows": {name: target.count(role) for name, role in ROLES.items()},
        "classes": target.n_classes,
        "originals": target.originals,
        "requests": target.requests,
        "intervals_over": "originals" if target.by_original else "requests",
        "verdict": asdict(verdict),
        "attacks": [_finding_dict(finding) for finding in audit.findings],
        "left_out": dict(audit.left_out),
    }


def _finding_dict(finding: Finding) -> dict[str, object]:
    return {
        "attack": finding.attack,
        "sees": finding.sees,
        "control": finding.control,
        "auc": asdict(finding.auc),
        "auc-retained": asdict(finding.retained),
        **{f"tpr-at-fpr-{fpr:g}": asdict(share) for fpr, share in finding.found.items()},
        "p": finding.p,
        "p_adjusted": finding.adjusted,
    }


def html(audit: Audit, verdict: Verdict) -> str:
    """Return the page. Every text from a file or a plug-in is escaped; there is no script and nothing is loaded."""
    left_out = "".join(f"<li>{escape(names)}: {escape(reason)}</li>" for names, reason in not_tried(audit))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Deletion audit of {escape(audit.target.file.name)}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>Does deleting a record give it away?</h1>
<p class="note">{escape(about(audit))}</p>
<section class="verdict {"leak" if verdict.outcome == "leak" else ""}">
<p><strong>{escape(verdict.headline)}</strong></p>
{"".join(f"<p>{escape(sentence)}</p>" for sentence in verdict.sentences)}
</section>
<h2>Attack by attack</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Attacks">{_html_table(HEADERS, table(audit))}</div>
<h2>Found and wrongly named, at every threshold</h2>
{_curves(audit)}
{f"<h2>Not tried</h2><ul>{left_out}</ul>" if left_out else ""}
<h2>How to read this</h2>
<ul>
<li>AUC: of 100 pairs of a deleted and a never-seen record, the share that an attack ranks rightly. .5 is guessing.</li>
<li>Found at 10 %: the share of deleted records that are named while at most 10 % of never-seen ones are named too.
n/a: there are too few unseen records to say (100 are needed for 10 %, 1,000 for 1 %), or too many equal scores.</li>
<li>Brackets are 95 % intervals. p is that of guessing, two-sided; for attacks that see both models by Holm's rule.</li>
<li>Attacks that see both models measure what the deletion gives away; the others what was known before it, and what is
left after it. {escape(_CONTROLS)}</li>
<li>An audit finds what its attacks can find. A low number does not prove that nothing can be found.</li>
</ul>
<footer>Made by unlearnbench.</footer>
</body>
</html>
"""


_CONTROLS: Final = "random guesses: it shows what chance looks like on these rows."


def _html_table(headers: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(header)}</th>' for header in headers)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(text)}</td>" for text in rest)}</tr>'
        for first, *rest in lines
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _curves(audit: Audit) -> str:
    role = audit.target.rows.role
    chosen = np.isin(role, (Role.FORGOTTEN, Role.UNSEEN))
    shown = [finding for finding in audit.findings if not finding.control][:MOST_CURVES]
    return roc_svg([Series(one.attack, one.scores[chosen], role[chosen] == Role.FORGOTTEN) for one in shown])
