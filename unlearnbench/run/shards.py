"""A part of a plan that one machine can run by itself: the parts of all shards are the whole plan."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from itertools import count

from unlearnbench.core.errors import UserError
from unlearnbench.run.cells import CellGroup, Plan, count_models


@dataclass(frozen=True)
class Shard:
    """The part ``number`` of ``of``, counted from 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read a text such as ``2/3``; UserError for another one."""
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text, re.ASCII)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise UserError(f'--shard {text}: must be a part and the number of parts, from "1/3" to "3/3" for three')
        return cls(int(match[1]), int(match[2]))

    def of_plan(self, plan: Plan) -> Plan:
        """Return the groups of this shard, with all episodes and controls that they need.

        It depends on the plan only, not on what is stored. Groups with common originals stay together, so that each
        original is trained in one shard, unless there are more shards than such parts.
        """
        parts = _split(_by_originals(plan.groups), self.of)
        mine = {group.name for group in _shares(parts, self.of)[self.number - 1]}
        return replace(plan, groups=tuple(group for group in plan.groups if group.name in mine))


@dataclass(eq=False)
class _Part:
    """Groups that stay together, with the originals that they start from."""

    groups: list[CellGroup] = field(default_factory=list)
    originals: dict[Hashable, None] = field(default_factory=dict)

    def join(self, other: _Part) -> None:
        self.groups += other.groups
        self.originals.update(other.originals)

    @property
    def cost(self) -> int:
        """How many models are trained at most."""
        return count_models({task.key: task for group in self.groups for task in group.tasks}.values())

    def halves(self) -> list[_Part]:
        return [_Part(self.groups[::2]), _Part(self.groups[1::2])]


def _by_originals(groups: Sequence[CellGroup]) -> list[_Part]:
    """Return the groups in parts that share no original; their order follows from that of the groups alone."""
    part_of: dict[Hashable, _Part] = {}
    for group in groups:
        new = _Part([group], dict.fromkeys(task.original_key for task in group.tasks))
        met = dict.fromkeys(part_of[original] for original in new.originals if original in part_of)
        whole, *others = sorted([*met, new], key=lambda part: len(part.groups), reverse=True)
        for other in others:
            whole.join(other)
            part_of.update(dict.fromkeys(other.originals, whole))
        part_of.update(dict.fromkeys(whole.originals if whole is new else (), whole))
    return [*dict.fromkeys(part_of.values())]


def _split(parts: Sequence[_Part], least: int) -> list[_Part]:
    """Halve the largest parts until there are at least so many, or each has one group."""
    whole = [part for part in parts if len(part.groups) == 1]
    heap = [(-part.cost, number, part) for number, part in enumerate(parts) if len(part.groups) > 1]
    heapify(heap)
    numbers = count(len(parts))
    while heap and len(heap) + len(whole) < least:
        for half in heappop(heap)[2].halves():
            if len(half.groups) > 1:
                heappush(heap, (-half.cost, next(numbers), half))
            else:
                whole.append(half)
    return whole + [part for *_, part in sorted(heap)]


def _shares(parts: Sequence[_Part], n: int) -> list[list[CellGroup]]:
    """Deal parts to ``n`` shards, the most costly first, each to the shard that has the least to do."""
    shares: list[list[CellGroup]] = [[] for _ in range(n)]
    loads = [(0, number) for number in range(n)]
    for cost, part in sorted(((part.cost, part) for part in parts), key=lambda found: found[0], reverse=True):
        load, number = heappop(loads)
        shares[number] += part.groups
        heappush(loads, (load + cost, number))
    return shares
