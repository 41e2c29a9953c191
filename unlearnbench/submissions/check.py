"""Checks a submission: derives and computes everything that can be, and compares it with what is submitted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from unlearnbench.core.messages import counted, one_line
from unlearnbench.engine.workers import one_thread
from unlearnbench.run.cells import CellGroup
from unlearnbench.run.results import Row, complete, in_suite_order, rows_without_work
from unlearnbench.submissions import arrays
from unlearnbench.submissions.arrays import PACK_AGAIN
from unlearnbench.submissions.board import standing
from unlearnbench.submissions.claims import compare
from unlearnbench.submissions.comparable import comparable
from unlearnbench.submissions.context import CheckContext
from unlearnbench.submissions.duplicates import duplicates
from unlearnbench.submissions.findings import Finding, RefusedError, cell_id, listed_ids, where_cell
from unlearnbench.submissions.listed import plugin_table, skipped_cells
from unlearnbench.submissions.reading import DOCUMENT, Submission, read_submission
from unlearnbench.submissions.remeasure import RUN_AGAIN, Pair, Remeasured
from unlearnbench.submissions.schema import GroupPart, PluginPart
from unlearnbench.submissions.settings import claims_of, settings_of
from unlearnbench.suite.model import AXES


@dataclass(frozen=True, eq=False)
class Report:
    """The outcome of a check."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    """What was not checked, and why."""
    rows: tuple[Row, ...] = ()
    """The results, computed from the scores."""
    context: CheckContext | None = None
    """None where the submission could not be read or has no known suite."""


def check_submission(
    folder: Path,
    suite_file: Path | None = None,
    plugin_files: Iterable[Path] = (),
    disabled: Iterable[str] = (),
    run_plugin_files: bool = False,
    elsewhere: Path | None = None,
) -> Report:
    """Check everything that can be checked without training.

    ``suite_file`` is the suite where it is not a standard one; with ``run_plugin_files`` the plug-in files that it
    names are executed. Arrays that are not beside their metadata are looked for in ``elsewhere``, a folder or a file.
    Nothing that the submission holds is executed, and nothing is written. Raises :class:`UserError` where there is no
    such folder or the suite cannot be loaded here.
    """
    found: list[Finding] = []
    try:
        submission, place = read_submission(folder, elsewhere)
        found += chain(place, _unnamed_arrays(submission), duplicates(submission))
        context = CheckContext.open(submission, suite_file, plugin_files, disabled, run_plugin_files)
        found += chain(standing(submission), _plugins(context), _skipped(context), _complete(context))
        pairs, mismatches = _pairs(context)
        found += mismatches
    except RefusedError as error:
        return Report((*found, *error.findings))
    context = replace(context, groups=pairs)
    with one_thread():
        measured = [context.remeasurer(part, group) for part, group in pairs]
    found += chain.from_iterable(each.findings for each in measured)
    for (part, _), each in zip(pairs, measured, strict=True):
        found += compare(context.submission.document, part, each)
    differing, compared = comparable(context)
    found += differing
    notes = dict.fromkeys(chain(compared, *(each.notes for each in measured)))
    return Report(tuple(found), tuple(notes), tuple(_rows(context, measured)), context)


def _unnamed_arrays(submission: Submission) -> Iterator[Finding]:
    document = submission.document
    if unnamed := set(document.own_arrays) - document.named_arrays:
        yield Finding(arrays.FILE, f"{counted(len(unnamed), 'array')} of no cell", PACK_AGAIN)


def _plugins(context: CheckContext) -> Iterator[Finding]:
    """Compare the plug-ins of the run with those that are installed here."""
    known = {
        (part.kind, part.name): part for part in map(_part, plugin_table(context.plan.full, context.instances.registry))
    }
    submitted = {(part.kind, part.name): part for part in context.submission.document.plugins}
    if len(submitted) != len(context.submission.document.plugins):
        yield Finding(DOCUMENT, "a plug-in is listed twice", "pack the run again")
    for key in sorted(known.keys() | submitted.keys()):
        where = f"{DOCUMENT}, {one_line(' '.join(key))[:100]}"
        if key not in submitted or key not in known:
            what = "is listed and no part of the suite" if key in submitted else "is part of the suite and not listed"
            yield Finding(where, what, "pack the run again")
        elif differing := _differing(submitted[key], known[key]):
            yield Finding(
                where, f"differs from the one here: {differing}", f"install that version here, or {RUN_AGAIN}"
            )


def _part(entry: Mapping[str, Any]) -> PluginPart:
    return PluginPart.model_validate(entry)


def _differing(submitted: PluginPart, known: PluginPart) -> str:
    """Name the fields in which two entries of a plug-in differ; built-ins are compared by revision, not by version."""
    fields = ["revision", "distribution", "declares"]
    fields += [] if known.distribution == "unlearnbench" else ["version", "sha256"]
    differing = [name for name in fields if getattr(submitted, name) != getattr(known, name)]
    return ", ".join(
        one_line(f"{name} {getattr(submitted, name)} and not {getattr(known, name)}")[:200] for name in differing
    )


def _skipped(context: CheckContext) -> Iterator[Finding]:
    known = sorted(map(_plain, skipped_cells(context.plan)))
    submitted = sorted(_plain(part.model_dump()) for part in context.submission.document.skipped)
    if known != submitted:
        what = f"lists {counted(len(submitted), 'skipped cell')}, the suite gives {len(known)}; cells or reasons differ"
        yield Finding(DOCUMENT, what, RUN_AGAIN)


def _plain(skipped: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(str(skipped[name]) for name in (*AXES, "seed", "reason"))


def _complete(context: CheckContext) -> Iterator[Finding]:
    """Find cells that are missing, unknown or repeated."""
    known = {cell_id(cell) for cell in context.plan.cells.values()}
    listed = Counter(name for group in context.submission.document.groups for name in listed_ids(group))
    problems = {
        "is missing": known - listed.keys(),
        "is not a cell of the suite": listed.keys() - known,
        "is listed more than once": {name for name, count in listed.items() if count > 1},
    }
    for what, names in problems.items():
        for name in sorted(names):
            yield Finding(where_cell(name), what, "pack the whole run again")


def _pairs(context: CheckContext) -> tuple[list[Pair], list[Finding]]:
    """Pair groups of the same cells in the same order, each once, and compare their keys."""
    known = {cell_id(cell): group for group in context.plan.groups for cell in group.cells.values()}
    pairs, found = [], []
    for part in context.submission.document.groups:
        names = listed_ids(part)
        group = known.pop(names[0], None) if names else None
        if group is None or names != [cell_id(cell) for cell in group.cells.values()]:
            where = where_cell(names[0]) if names else "a group of no cells"
            found.append(Finding(where, "its group is not the cells that share models", "pack the run again"))
            continue
        pairs.append((part, group))
        found += _keys(part, group)
    return pairs, found


def _keys(part: GroupPart, group: CellGroup) -> Iterator[Finding]:
    """Compare engines, devices and keys; keys hold data, plug-ins, parameters, sizes and seeds too."""
    where, possible = where_cell(listed_ids(part)[0]), settings_of(group)
    for side, claim in claims_of(part).items():
        if claim != possible[side]:
            words = "engine {} on {}, which the model can have here is engine {} on {}".format(*claim, *possible[side])
            yield Finding(where, f"its {side} models are said to be of {words}", RUN_AGAIN)
            return
    if [cell.key for cell in part.cells] != list(group.cells):
        what = "its keys differ: it was run on other data, or with other plug-ins, sizes or seeds than here"
        yield Finding(where, what, RUN_AGAIN)


def _rows(context: CheckContext, measured: Sequence[Remeasured]) -> list[Row]:
    """Return the results as a board shows them: computed ones, skipped ones, and means over seeds."""
    computed = [
        Row(cell.axes, cell.seed, metrics=each.estimates[number], outcomes=each.outcomes)
        for (_, group), each in zip(context.groups, measured, strict=True)
        for number, cell in enumerate(group.cells.values())
        if number in each.estimates
    ]
    return complete(in_suite_order(context.plan, [*computed, *rows_without_work(context.plan)]), context.plan.tests)
