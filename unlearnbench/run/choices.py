"""Texts such as ``attack=sorted-diff`` that choose a part of a suite: how they are read, and refused."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from unlearnbench.core.errors import UserError, did_you_mean

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
