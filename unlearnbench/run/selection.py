"""Texts such as ``attack=sorted-diff`` that select a part of a suite: how they are read and refused."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from unlearnbench.core.errors import UserError, did_you_mean
from unlearnbench.run.cells import Cell
from unlearnbench.suite.model import AXES

BLIND = "blind"
"""The control attack that reads records only; where it beats chance the sample gives itself away."""

Choices = Mapping[str, frozenset[str]]
"""The values chosen for some keys."""


def read_choices(texts: Iterable[str], option: str, form: tuple[str, str], keys: Collection[str]) -> Choices:
    """Read ``key=value`` texts; several values for one key widen it.

    ``option`` is the flag they came with, ``form`` what it calls key and value. :class:`UserError` for other texts.
    """
    key_name, value_name = form
    only: dict[str, frozenset[str]] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not value:
            raise UserError(f'{option} {text}: must be {key_name}={value_name}, for example "attack=sorted-diff"')
        if key not in keys:
            raise UserError(f"{option} {text}: unknown {key_name} {key!r}{did_you_mean(key, keys)}")
        only[key] = only.get(key, frozenset()) | {value}
    return only


def refuse_unknown(only: Choices, option: str, known: Callable[[str], set[str]]) -> None:
    """Raise :class:`UserError` for a value that is not among those ``known`` for its key."""
    for key, values in only.items():
        names = known(key)
        for value in sorted(values - names):
            raise UserError(f"{option} {key}={value}: the suite has no such {key}{did_you_mean(value, names)}")


@dataclass(frozen=True)
class Selection:
    """Which part of a suite to run: only cells whose axis has one of the names or labels given for it."""

    only: Choices = field(default_factory=dict)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Selection:
        """Read ``key=value`` texts; several values for one key widen it."""
        return cls(read_choices(texts, "--only", ("key", "value"), (*AXES, "seed")))

    def holds(self, cell: Cell) -> bool:
        """Say whether a cell is selected. Blind always is: it decides whether the rows of the others are valid."""
        named = _values(cell)
        return all(
            values & named[key] or (key == "attack" and cell.attack.name == BLIND) for key, values in self.only.items()
        )

    def check(self, cells: Iterable[Cell]) -> None:
        """Raise :class:`UserError` for a value that no cell has."""
        known = [_values(cell) for cell in cells]
        refuse_unknown(self.only, "--only", lambda key: set().union(*(one[key] for one in known)))


def _values(cell: Cell) -> dict[str, set[str]]:
    """Return what a cell may be called on each axis."""
    return {str(axis): {cell.names[axis], cell.labels[axis]} for axis in AXES} | {"seed": {str(cell.seed)}}
