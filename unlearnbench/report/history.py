"""The highest AUC of an unlearner or a defense before later attacks were entered: an old number stays readable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unlearnbench.core.estimates import Estimate
from unlearnbench.report.publication import Publication
from unlearnbench.report.tracks import TrackRow
from unlearnbench.run.results import Row, headline_rows


@dataclass(frozen=True)
class Record:
    """An attack that found more than all that were entered before it."""

    date: str
    attack: str
    author: str
    auc: Estimate


def history(publication: Publication, line: TrackRow) -> list[Record]:
    """Return the attacks on the models of a line, each with a higher AUC than all before; none for a line of attacks.

    Attacks of one day count as entered together, and those of the reference entry as there from the beginning.
    """
    if line.track.compares not in ("unlearner", "defense"):
        return []
    found: dict[str, Record] = {}
    for record in sorted(_records(publication, line), key=lambda record: (record.date, -(record.auc.value or 0))):
        best = max((each.auc.value or 0 for each in found.values()), default=0.0)
        if (record.auc.value or 0) > best:
            found.setdefault(record.date, record)
    return list(found.values())


def _records(publication: Publication, line: TrackRow) -> Sequence[Record]:
    names = {axis: label for axis, label in line.names.items() if axis != "attack"}
    rows = (row for row in headline_rows(publication.rows) if names.items() <= row.names.items())
    return [record for row in rows if (record := _record(publication, row))]


def _record(publication: Publication, row: Row) -> Record | None:
    role, entry = publication.roles.of_plugin(row.axes["attack"]), publication.entry_of("attack", row.names["attack"])
    auc = row.metrics.get("auc")
    if entry is None or (role.role, role.versions) != ("entry", "both"):
        return None
    if row.status != "ok" or auc is None or auc.value is None:
        return None
    return Record(entry.date, row.names["attack"], entry.author, auc)
