"""Texts such as ``attack=sorted-diff`` that select a part of a suite: how they are read and refused."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

from unlearnbench.core.errors import UserError, did_you_mean
from unlearnbench.suite.model import AXES, Axis, PluginRef, Suite

Ref = TypeVar("Ref", bound=PluginRef)

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

    def narrow(self, suite: Suite, kept: Collection[str] = ()) -> Suite:
        """Return the part of a suite that is selected, and the attacks that are named in ``kept``.

        UserError for a value that the suite does not have.
        """
        known = {axis: {ref.name for ref in refs} | {ref.label for ref in refs} for axis, refs in suite.axes.items()}
        seeds = {str(seed) for seed in suite.seeds}
        refuse_unknown(self.only, "--only", lambda key: known.get(cast(Axis, key), seeds))
        return replace(
            suite,
            datasets=self._among(suite.datasets),
            models=self._among(suite.models),
            unlearners=self._among(suite.unlearners),
            scenarios=self._among(suite.scenarios),
            defenses=self._among(suite.defenses),
            attacks=self._among(suite.attacks, kept),
            seeds=tuple(seed for seed in suite.seeds if str(seed) in self.only.get("seed", seeds)),
        )

    def _among(self, refs: tuple[Ref, ...], kept: Collection[str] = ()) -> tuple[Ref, ...]:
        return tuple(ref for ref in refs if ref.name in kept or self._has(ref))

    def _has(self, ref: PluginRef) -> bool:
        values = self.only.get(ref.kind)
        return values is None or ref.name in values or ref.label in values
