"""Checks a submission: derives and computes everything that can be, and compares it with what is submitted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from unlearnbench.core.errors import UserError
from unlearnbench.core.hashing import content_key
from unlearnbench.core.messages import one_line
from unlearnbench.engine.devices import Device
from unlearnbench.engine.workers import one_thread
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.cells import CellGroup, Plan
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plan import make_plan
from unlearnbench.run.results import Row, complete, in_suite_order, rows_without_work
from unlearnbench.submissions.claims import compare
from unlearnbench.submissions.findings import Finding, RefusedError, cell_id, listed_ids, refuse, where_cell
from unlearnbench.submissions.pack import plugin_table, skipped_cells
from unlearnbench.submissions.reading import DOCUMENT, Submission, duplicates, read_submission
from unlearnbench.submissions.remeasure import RUN_AGAIN, Pair, Remeasured, Remeasurer
from unlearnbench.submissions.schema import Document, GroupPart, PluginPart
from unlearnbench.suite.find import standard_suites
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import AXES, Suite


@dataclass(frozen=True, eq=False)
class CheckContext:
    """A submission, and the plan of its suite as made here."""

    submission: Submission
    plan: Plan
    """What a run of the suite would do here."""
    instances: PluginInstances
    groups: Sequence[Pair] = ()
    """The groups that are the same in both."""

    @cached_property
    def remeasurer(self) -> Remeasurer:
        """Computes metrics again."""
        return Remeasurer(self.submission, self.instances, self.groups)


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
) -> Report:
    """Check everything that can be checked without training.

    ``suite_file`` is the suite where it is not a standard one. Nothing that the submission holds is executed, and
    nothing is written. Raises :class:`UserError` where there is no such folder or the suite cannot be loaded here.
    """
    found: list[Finding] = []
    try:
        submission, place = read_submission(folder)
        found += [*place, *duplicates(submission)]
        context = _open(submission, suite_file, plugin_files, disabled)
        found += chain(_plugins(context), _skipped(context), _complete(context))
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
    notes = dict.fromkeys(chain.from_iterable(each.notes for each in measured))
    return Report(tuple(found), tuple(notes), tuple(_rows(context, measured)), context)


def _open(
    submission: Submission, suite_file: Path | None, plugins: Iterable[Path], disabled: Iterable[str]
) -> CheckContext:
    """Find the suite and plan it for the device that the submission names."""
    document = submission.document
    suite, registry = _suite(document, suite_file, plugins, disabled)
    devices = {group.device for group in document.groups} - {"cpu"}
    device: Device = next(iter(sorted(devices)), "cpu")
    instances = PluginInstances(registry)
    try:
        plan = make_plan(suite, instances, device)
    except UserError:  # the device is not available here; queried rows and metrics do not depend on it
        plan = make_plan(suite, instances, "cpu")
    return CheckContext(submission, plan, instances)


def _suite(
    document: Document, file: Path | None, plugins: Iterable[Path], disabled: Iterable[str]
) -> tuple[Suite, Registry]:
    name = document.suite_name
    files = [file] if file else [path for path in standard_suites().values() if path.stem == name]
    if not files:
        raise refuse(
            DOCUMENT,
            f"{one_line(name)[:100]!r} is no standard suite",
            "enter a standard suite, or name its file: --suite",
        )
    loaded = [load_suite(path, plugin_files=plugins, disabled=disabled, run_plugin_files=True) for path in files]
    for suite, registry in loaded:
        if suite.sha256 == document.suite_sha256 == content_key(document.suite):
            return suite, registry
    known = " or ".join(suite.sha256[:12] for suite, _ in loaded)
    what = (
        f"its suite {one_line(name)[:100]!r}, sha256 {document.suite_sha256[:12]}, is not the one known here, {known}"
    )
    raise refuse(DOCUMENT, what, "run the suite as it is now and pack that run")


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
        what = f"lists {len(submitted)} skipped cells, the suite gives {len(known)}; cells or reasons differ"
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
        found += _keys(context, part, group)
    return pairs, found


def _keys(context: CheckContext, part: GroupPart, group: CellGroup) -> Iterator[Finding]:
    """Compare keys, which hold data, plug-ins, parameters, sizes, seeds, engine and device."""
    first, where = group.target[0], where_cell(listed_ids(part)[0])
    wanted = context.plan.suite.engine
    if wanted != "auto" and part.engine != wanted:
        yield Finding(where, f"its engine is {part.engine}, the suite asks for {wanted}", RUN_AGAIN)
    same_engine = (part.engine, part.device) == (first.engine, first.device)
    if same_engine and [cell.key for cell in part.cells] != list(group.cells):
        what = "its keys differ: it was run on other data, or with other plug-ins, sizes or seeds than here"
        yield Finding(where, what, RUN_AGAIN)


def _rows(context: CheckContext, measured: Sequence[Remeasured]) -> list[Row]:
    """Return the results as a board shows them: computed ones, skipped ones, and means over seeds."""
    computed = [
        Row(cell.axes, cell.seed, metrics=each.estimates[number])
        for (_, group), each in zip(context.groups, measured, strict=True)
        for number, cell in enumerate(group.cells.values())
        if number in each.estimates
    ]
    return complete(in_suite_order(context.plan, [*computed, *rows_without_work(context.plan)]), context.plan.tests)
