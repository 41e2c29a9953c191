"""A suite as the protocol of a board: which of its cells one entry brings, and the controls that show it comparable.

An entry is one plug-in on one axis. Its own cells are those of that plug-in with all that the suite lists on the other
axes. The controls are the same models and samples as everybody's: from the same seeds they come out as the board has
them, or the entry was not measured as the others were.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, cast

from unlearnbench.core.attacks import Attack
from unlearnbench.core.errors import UserError, did_you_mean
from unlearnbench.engine.devices import Device
from unlearnbench.hooks.parameters import params_of_texts
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.cells import Cell, CellGroup, Plan
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plan import make_plan, with_controls
from unlearnbench.run.settings import KnownSettings
from unlearnbench.suite.entries import ref_of
from unlearnbench.suite.model import Axis, PluginRef, Suite

ENTRY_AXES: Final[tuple[Axis, ...]] = ("unlearner", "attack", "defense", "model")
"""The axes whose plug-ins can be entered."""
CONTROL_UNLEARNERS: Final = ("retrain", "none")
CONTROL_ATTACKS: Final = ("random", "oracle-label")
"""Those that every entry runs again, besides the reference attack."""


def read_entry(text: str, suite: Suite, registry: Registry) -> PluginRef:
    """Return the plug-in of ``AXIS=LABEL``, as the suite lists it, or of ``AXIS=NAME:PARAMETER=VALUE,...``.

    :class:`UserError` for another text, for an axis without entries, and for a control or a baseline.
    """
    axis, equals, words = text.partition("=")
    if not equals or axis not in ENTRY_AXES:
        known = ", ".join(ENTRY_AXES)
        hint = did_you_mean(axis, ENTRY_AXES)
        raise UserError(f"--entry {text}: must be AXIS=NAME with one of {known}, such as unlearner=sisa{hint}")
    kind: Axis = axis
    listed = {ref.label: ref for ref in suite.axes[kind]}
    found = listed.get(words) or _named(kind, words, registry)
    if not is_entry(found, registry):
        raise UserError(f"--entry {text}: is a control or a baseline, which the suite's reference entry holds")
    return found


def _named(kind: Axis, words: str, registry: Registry) -> PluginRef:
    name, _, listed = words.partition(":")
    registered, texts = registry.get(kind, name), {}
    for part in re.split(r",(?=\w+=)", listed) if listed else []:
        parameter, equals, value = part.partition("=")
        if not equals:
            raise UserError(f"--entry {kind}={words}: {part} must be PARAMETER=VALUE")
        texts[parameter] = value
    return ref_of(kind, name, params_of_texts(registered, texts), registry)


def is_entry(ref: PluginRef, registry: Registry) -> bool:
    """Say whether a plug-in is ranked, rather than one that entries are compared with."""
    return registry.get(ref.kind, ref.name).plugin.role == "entry"


def entries_of(suite: Suite, registry: Registry) -> list[PluginRef]:
    """Return the unlearners that a suite lists as entries: all else of it is the reference entry."""
    return [ref for ref in suite.unlearners if is_entry(ref, registry)]


def entry_plan(
    suite: Suite,
    entry: PluginRef | None,
    instances: PluginInstances,
    device: Device,
    known: KnownSettings | None = None,
) -> Plan:
    """Plan what one entry of a suite runs; None is the reference entry: all cells whose unlearner is no entry.

    The plan's ``suite`` is the suite as it is, its ``full`` one the part with the entry.
    """
    registry = instances.registry
    plan = make_plan(part_of(suite, entry, registry), instances, device, known=known)
    if entry is None:
        return replace(plan, suite=suite)
    choice = Choice(entry, suite, registry)
    read = {key for group in plan.groups for key in choice.retrained(group)}
    kept = [_only(group, choice, read, instances) for group in plan.groups]
    return replace(
        plan,
        suite=suite,
        groups=tuple(group for group in kept if group.cells),
        skipped=tuple(filter(choice.holds, plan.skipped)),
        failed=tuple(filter(choice.holds, plan.failed)),
    )


def part_of(suite: Suite, entry: PluginRef | None, registry: Registry) -> Suite:
    """Return the suite with one entry on its axis beside what entries are compared with, and with no other."""
    full = with_controls(suite, registry)
    axis = entry.kind if entry else "unlearner"
    listed: Iterable[PluginRef] = full.axes[cast(Axis, axis)]
    kept = [ref for number, ref in enumerate(listed) if _compared(ref, number, registry)]
    refs = [ref for ref in kept if entry is None or ref.key != entry.key]
    return replace(suite, **{f"{axis}s": (*refs, *([entry] if entry else []))})  # type: ignore[arg-type]  # by axis


def _compared(ref: PluginRef, number: int, registry: Registry) -> bool:
    """Say whether entries of an axis are compared with a plug-in: the first attack is the reference attack."""
    if ref.kind == "model":
        return number == 0
    return not is_entry(ref, registry) or (ref.kind == "attack" and number == 0)


@dataclass(frozen=True)
class Choice:
    """Which cells an entry holds."""

    entry: PluginRef
    suite: Suite
    registry: Registry

    def owns(self, cell: Cell) -> bool:
        """Say whether a cell is one with its plug-in."""
        return cell.axes[self.entry.kind].key == self.entry.key

    def holds(self, cell: Cell) -> bool:
        """Say whether a cell is one of its own, or a control."""
        return self.owns(cell) or self._is_control(cell)

    def _is_control(self, cell: Cell) -> bool:
        first = self.entry.kind != "model" or cell.model.key == self.suite.models[0].key
        attack = cell.attack.name in CONTROL_ATTACKS or cell.attack.key == self.suite.attacks[0].key
        undefended = not is_entry(cell.defense, self.registry)
        return first and attack and undefended and cell.unlearner.name in CONTROL_UNLEARNERS

    def retrained(self, group: CellGroup) -> list[str]:
        """Return the keys of the cells of retraining that metrics of the entry's own cells in a group read."""
        pairs = {(cell.defense.key, cell.attack.key) for cell in group.cells.values() if self.owns(cell)}
        cells: Mapping[str, Cell] = group.retrained.cells if group.retrained else {}
        return [key for key, cell in cells.items() if (cell.defense.key, cell.attack.key) in pairs]


def _only(group: CellGroup, choice: Choice, read: Collection[str], instances: PluginInstances) -> CellGroup:
    """Return a group with the cells of an entry only, and the reference models that their attacks need."""
    cells = {key: cell for key, cell in group.cells.items() if choice.holds(cell) or key in read}
    needed = max((instances.make(cell.attack, Attack).needs.references for cell in cells.values()), default=0)
    return replace(group, cells=cells, references=group.references[:needed])
