"""Which plug-ins show whether results are valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from unlearnbench.core.versions import Versions
from unlearnbench.hooks.records import EntryRole, UnlearnerPlugin
from unlearnbench.hooks.registry import Registry


class DeclaredAttack(Protocol):
    """What the record of an attack declares, or a board of it."""

    @property
    def role(self) -> EntryRole:
        """Entry, baseline or control."""
        ...

    @property
    def versions(self) -> Versions | None:
        """Which models it queries."""
        ...

    @property
    def tests_sample(self) -> bool:
        """Whether a sample is invalid where it beats chance."""
        ...


@dataclass(frozen=True)
class ValidityTests:
    """The names of the plug-ins that decide which rows are invalid (decisions 0007 and 0022)."""

    sample: frozenset[str] = frozenset()
    """Attacks that query no model: where one beats chance, deleted and unseen records differ by themselves."""
    tested: frozenset[str] = frozenset()
    """Attacks that query unlearned models and are no controls or baselines."""
    references: frozenset[str] = frozenset()
    """Built-in baselines and tests of the sample: where one of these tells forgotten from retained records without a
    deletion, the records differ by themselves, and ``tested`` attacks may tell them apart too."""
    deleting_nothing: frozenset[str] = frozenset()
    """Unlearners in every plan that delete nothing."""

    @classmethod
    def of(cls, attacks: Mapping[str, DeclaredAttack], registry: Registry) -> ValidityTests:
        """Return the tests of a suite with these attacks, by name."""
        sample = frozenset(name for name, found in attacks.items() if found.tests_sample)
        baselines = {name for name, found in attacks.items() if found.role == "baseline"}
        builtin = {entry.name for entry in registry.all("attack") if entry.joins}
        unlearners = ((entry.name, entry.plugin) for entry in registry.all("unlearner") if entry.joins)
        return cls(
            sample=sample,
            tested=frozenset(
                name
                for name, found in attacks.items()
                if found.role == "entry" and found.versions in ("both", "unlearned")
            ),
            references=frozenset(builtin & (sample | baselines)),
            deleting_nothing=frozenset(
                name for name, found in unlearners if isinstance(found, UnlearnerPlugin) and found.deletes_nothing
            ),
        )
