"""Checks a submission without believing it: what can be derived is derived, what can be computed is computed again."""

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
from unlearnbench.engine.devices import Device
from unlearnbench.engine.workers import one_thread
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.cells import CellGroup, Plan
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plan import make_plan
from unlearnbench.run.results import Row, mark_invalid, mean_over_seeds
from unlearnbench.submissions.cells import cell_id, told_ids, where_cell
from unlearnbench.submissions.claims import compare
from unlearnbench.submissions.findings import Finding, RefusedError, refuse
from unlearnbench.submissions.pack import plugin_table, skipped_cells
from unlearnbench.submissions.reading import DOCUMENT, Submission, duplicates, read_submission
from unlearnbench.submissions.remeasure import RUN_AGAIN, Remeasured, Remeasurer
from unlearnbench.submissions.schema import Document, GroupPart, PluginPart
from unlearnbench.suite.find import standard_suites
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.messages import one_line
from unlearnbench.suite.model import AXES, Suite


@dataclass(frozen=True, eq=False)
class Case:
    """A submission beside the plan that its suite makes here. ``benches`` pair what they say of the same cells."""

    submission: Submission
    plan: Plan
    instances: PluginInstances
    benches: Sequence[tuple[GroupPart, CellGroup]] = ()

    @cached_property
    def remeasurer(self) -> Remeasurer:
        """Computes metrics again."""
        return Remeasurer(self.submission, self.instances)


@dataclass(frozen=True, eq=False)
class Report:
    """What a check found. ``rows`` are the results, computed from the scores; ``notes`` say what was not checked."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    case: Case | None = None


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
        case = _open(submission, suite_file, plugin_files, disabled)
        found += chain(_plugins(case), _skipped(case), _complete(case))
        pairs, unlike = _pairs(case)
        found += unlike
    except RefusedError as error:
        return Report((*found, *error.findings))
    case = replace(case, benches=pairs)
    with one_thread():
        measured = [case.remeasurer(part, bench) for part, bench in pairs]
    found += chain.from_iterable(each.findings for each in measured)
    for (part, _), each in zip(pairs, measured, strict=True):
        found += compare(case.submission.document, part, each)
    notes = dict.fromkeys(chain.from_iterable(each.notes for each in measured))
    return Report(tuple(found), tuple(notes), tuple(_rows(case, measured)), case)


def _open(submission: Submission, suite_file: Path | None, plugins: Iterable[Path], disabled: Iterable[str]) -> Case:
    """Find the suite and plan it for the device that the submission names."""
    document = submission.document
    suite, registry = _suite(document, suite_file, plugins, disabled)
    devices = {bench.device for bench in document.benches} - {"cpu"}
    device: Device = next(iter(sorted(devices)), "cpu")
    instances = PluginInstances(registry)
    try:
        plan = make_plan(suite, instances, device)
    except UserError:  # the device is not here: who was asked and what follows from it are the same on any
        plan = make_plan(suite, instances, "cpu")
    return Case(submission, plan, instances)


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
    loaded = [load_suite(path, plugin_files=plugins, disabled=disabled) for path in files]
    for suite, registry in loaded:
        if suite.sha256 == document.suite_sha256 == content_key(document.suite):
            return suite, registry
    known = " or ".join(suite.sha256[:12] for suite, _ in loaded)
    what = (
        f"its suite {one_line(name)[:100]!r}, sha256 {document.suite_sha256[:12]}, is not the one known here, {known}"
    )
    raise refuse(DOCUMENT, what, "run the suite as it is now and pack that run")


def _plugins(case: Case) -> Iterator[Finding]:
    """Compare the plug-ins of the run with those that are installed here."""
    known = {(part.kind, part.name): part for part in map(_part, plugin_table(case.plan.full, case.instances.registry))}
    told = {(part.kind, part.name): part for part in case.submission.document.plugins}
    if len(told) != len(case.submission.document.plugins):
        yield Finding(DOCUMENT, "a plug-in is listed twice", "pack the run again")
    for key in sorted(known.keys() | told.keys()):
        where = f"{DOCUMENT}, {one_line(' '.join(key))[:100]}"
        if key not in told or key not in known:
            what = "is listed and no part of the suite" if key in told else "is part of the suite and not listed"
            yield Finding(where, what, "pack the run again")
        elif unlike := _unlike(told[key], known[key]):
            yield Finding(where, f"is another here: {unlike}", f"install that version here, or {RUN_AGAIN}")


def _part(entry: Mapping[str, Any]) -> PluginPart:
    return PluginPart.model_validate(entry)


def _unlike(told: PluginPart, known: PluginPart) -> str:
    """Say in what two entries of a plug-in differ. Ours are told by revision: a release may change none of them."""
    fields = ["revision", "distribution", "declares"]
    fields += [] if known.distribution == "unlearnbench" else ["version", "sha256"]
    differing = [name for name in fields if getattr(told, name) != getattr(known, name)]
    return ", ".join(
        one_line(f"{name} {getattr(told, name)} and not {getattr(known, name)}")[:200] for name in differing
    )


def _skipped(case: Case) -> Iterator[Finding]:
    known = sorted(map(_plain, skipped_cells(case.plan)))
    told = sorted(_plain(part.model_dump()) for part in case.submission.document.skipped)
    if known != told:
        what = f"it lists {len(told)} skipped cells, the suite gives {len(known)}, or other ones or other reasons"
        yield Finding(DOCUMENT, what, RUN_AGAIN)


def _plain(skipped: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(str(skipped[name]) for name in (*AXES, "seed", "reason"))


def _complete(case: Case) -> Iterator[Finding]:
    """Every cell of the suite stands there once, and no other."""
    known = {cell_id(cell) for cell in case.plan.cells.values()}
    told = Counter(name for bench in case.submission.document.benches for name in told_ids(bench))
    lists = {
        "is missing": known - told.keys(),
        "is no cell of the suite": told.keys() - known,
        "stands there more than once": {name for name, count in told.items() if count > 1},
    }
    for what, names in lists.items():
        for name in sorted(names):
            yield Finding(where_cell(name), what, "pack the whole run again")


def _pairs(case: Case) -> tuple[list[tuple[GroupPart, CellGroup]], list[Finding]]:
    """Pair benches of the same cells in the same order, each once, and compare their keys."""
    known = {cell_id(cell): bench for bench in case.plan.groups for cell in bench.cells.values()}
    pairs, found = [], []
    for part in case.submission.document.benches:
        names = told_ids(part)
        bench = known.pop(names[0], None) if names else None
        if bench is None or names != [cell_id(cell) for cell in bench.cells.values()]:
            where = where_cell(names[0]) if names else "a group of no cells"
            found.append(Finding(where, "its group is not the cells that share models", "pack the run again"))
            continue
        pairs.append((part, bench))
        found += _keys(case, part, bench)
    return pairs, found


def _keys(case: Case, part: GroupPart, bench: CellGroup) -> Iterator[Finding]:
    """Compare keys, which hold data, plug-ins, parameters, sizes, seeds, engine and device."""
    first, where = bench.target[0], where_cell(told_ids(part)[0])
    wanted = case.plan.suite.engine
    if wanted != "auto" and part.engine != wanted:
        yield Finding(where, f"its engine is {part.engine}, the suite asks for {wanted}", RUN_AGAIN)
    same_engine = (part.engine, part.device) == (first.engine, first.device)
    if same_engine and [cell.key for cell in part.cells] != list(bench.cells):
        what = "its keys are others: it was run on other data, or with other plug-ins, sizes or seeds than here"
        yield Finding(where, what, RUN_AGAIN)


def _rows(case: Case, measured: Sequence[Remeasured]) -> list[Row]:
    """Return the results as a board shows them: computed ones, skipped ones, and means over seeds."""
    found = {
        cell_id(cell): Row(cell.axes, cell.seed, metrics=each.estimates[number])
        for (_, bench), each in zip(case.benches, measured, strict=True)
        for number, cell in enumerate(bench.cells.values())
        if number in each.estimates
    }
    skipped = [Row(cell.axes, cell.seed, "skipped", cell.skipped) for cell in case.plan.skipped]
    places = {axis: {ref.label: i for i, ref in enumerate(refs)} for axis, refs in case.plan.full.axes.items()}
    order = sorted(
        [*found.values(), *skipped],
        key=lambda row: (*(places[axis][row.names[axis]] for axis in AXES), row.seed),
    )
    rows = mark_invalid(order)
    return [*rows, *(mean_over_seeds(rows) if len(case.plan.suite.seeds) > 1 else [])]
