"""Requirements of data sets."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import numpy as np

from unlearnbench.core.records import Records
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import check
from unlearnbench.testing.process import process_check


@lru_cache(maxsize=1)  # all checks of one data set share them
def _loaded(subject: Subject) -> Any:
    return subject.made.load()


@check("Return unlearnbench.Records, with the name that the plug-in has.")
def loads_records(subject: Subject) -> Iterator[str]:
    """`load` returns records, with the name of the plug-in."""
    records = _loaded(subject)
    if not isinstance(records, Records):
        yield f"load() returns {type(records).__name__}, not Records"
        return
    if records.name != subject.registered.name:
        yield f"the records are named {records.name!r}, the plug-in {subject.registered.name!r}: seeds use the name"


@check("Sort what you read, and draw with numpy.random.default_rng(a fixed number).")
def loads_the_same_every_time(subject: Subject) -> Iterator[str]:
    """Loaded twice, by two objects, the records are the same in the same order."""
    if _loaded(subject).sha256 != type(subject.made)().load().sha256:
        yield "loading twice gives different records"


leaves_the_process = process_check(lambda subject: subject.made.load())


@check("Count `n_classes` from the labels, and give each class at least one record.")
def every_class_occurs(subject: Subject) -> Iterator[str]:
    """There are at least two classes, each with a record; class names, where given, are equally many."""
    records = _loaded(subject)
    counts = np.bincount(records.y, minlength=records.n_classes)
    if records.n_classes < 2:
        yield "there is only one class"
    if not counts.all():
        yield f"no record has class {', '.join(map(str, np.flatnonzero(counts == 0)))}"
    if len(records.class_names) not in (0, records.n_classes):
        yield f"{len(records.class_names)} class names for {records.n_classes} classes"


@check("Drop duplicates, or keep more digits: a record with a duplicate in the data set cannot be deleted.")
def most_records_can_be_deleted(subject: Subject) -> Iterator[str]:
    """At least half of the records have no duplicate."""
    duplicates = _loaded(subject).has_duplicate.mean()
    if duplicates > 0.5:
        yield f"{duplicates:.0%} of the records share all features with another: deleting one of those deletes nothing"


@check('Give both in Provenance(source, licence), if need be as "unknown".')
def has_source_and_licence(subject: Subject) -> Iterator[str]:
    """Source and licence are given, in the records and in the plug-in's record."""
    provenance = _loaded(subject).provenance
    texts = {
        "source": provenance.source,
        "licence": provenance.licence,
        "record's licence": getattr(subject.registered.plugin, "licence", ""),
    }
    yield from (f"the {name} is empty" for name, text in texts.items() if not text.strip())


CHECKS: Final = (
    loads_records,
    loads_the_same_every_time,
    leaves_the_process,
    every_class_occurs,
    most_records_can_be_deleted,
    has_source_and_licence,
)
