"""Compares the metrics that a submission claims with those computed from its scores."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Final

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.messages import one_line
from unlearnbench.submissions.findings import Finding, listed_ids, where_cell
from unlearnbench.submissions.remeasure import Remeasured
from unlearnbench.submissions.schema import Document, GroupPart

TOLERANCE: Final = 1e-9
"""Relative; metrics are computed again in the same order, so that only a library's last digits may differ."""

Claims = Mapping[str, Estimate]


def claims(document: Document, part: GroupPart, number: int) -> Claims:
    """Return the metrics claimed for one cell; KeyError where it names an estimate that is not there."""
    try:
        indices = dict(zip(document.metrics, part.cells[number].estimates, strict=True))
        chosen = {name: document.estimates[index] for name, index in indices.items() if index is not None}
        return {name: Estimate(**entry.model_dump()) for name, entry in chosen.items()}
    except (IndexError, ValueError) as error:
        raise KeyError(str(error)) from error


def compare(document: Document, part: GroupPart, measured: Remeasured) -> Iterator[Finding]:
    """Compare what is claimed with what follows from the scores."""
    for number, name in enumerate(listed_ids(part)):
        estimates = measured.estimates.get(number)
        if estimates is None:
            continue
        try:
            claimed = claims(document, part, number)
        except KeyError:
            yield Finding(where_cell(name), "its metrics are not estimates", "pack the run again")
            continue
        differing = [
            key for key in sorted(claimed.keys() | estimates.keys()) if not same(claimed.get(key), estimates.get(key))
        ]
        if differing:
            what = f"its scores do not give the claimed {_examples(differing, claimed, estimates)}"
            yield Finding(where_cell(name), what, "leave scores and metrics as they were packed")
        bare = [key for key, one in estimates.items() if one.status == "ok" and (one.low is None or one.high is None)]
        if bare:
            yield Finding(where_cell(name), f"{', '.join(bare)}: no interval and no reason", "the metric must give one")


def _examples(names: Sequence[str], claimed: Claims, computed: Claims) -> str:
    def one(name: str) -> str:
        given, real = (each[name].value if name in each else None for each in (claimed, computed))
        return f"{one_line(name)[:60]} ({given}, computed {real})"

    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(map(one, names[:3])) + more


def same_metrics(one: Claims, other: Claims) -> bool:
    """Say whether two cells have the same metrics with the same estimates."""
    return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)


def same(claimed: Estimate | None, computed: Estimate | None) -> bool:
    """Say whether two estimates agree: words and counts exactly, numbers up to the tolerance."""
    if claimed is None or computed is None:
        return claimed is computed
    one, other = _flat(claimed), _flat(computed)
    return one.keys() == other.keys() and all(_close(one[key], other[key]) for key in one)


def _flat(estimate: Estimate) -> dict[str, object]:
    plain = asdict(estimate)
    details = plain.pop("details")
    return plain | {f"details.{key}": value for key, value in details.items()}


def _close(one: object, other: object) -> bool:
    if isinstance(one, float | int) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-12)
    return one == other
