"""The conformance kit: what is asked of a plug-in of each kind, and what is found."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from importlib import import_module

from unlearnbench.hooks.parameters import build
from unlearnbench.hooks.records import Kind
from unlearnbench.hooks.registry import Registered, Registry, load_registry
from unlearnbench.testing import contract
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import Check, Finding

Run = Callable[[], list[Finding]]


def checks_of(kind: Kind) -> tuple[Check, ...]:
    """Return the checks of a kind, in order; they follow those of the contract, which are asked of all kinds."""
    checks: tuple[Check, ...] = import_module(f"unlearnbench.testing.{kind}s").CHECKS
    return checks


def findings_of(registered: Registered, registry: Registry | None = None) -> list[Finding]:
    """Return all that is wrong with a plug-in under its default parameters; an empty list where nothing is.

    Where the contract is broken, nothing else is looked at. ``registry`` holds the models that an unlearner is tried
    with: those built in, and those of its own file or distribution. What several checks stumble over is told once.
    """
    found = [finding for run in runs_of(registered, registry).values() for finding in run()]
    return list({_cause(finding): finding for finding in reversed(found)}.values())[::-1]


def _cause(finding: Finding) -> str:
    """Return what tells two findings apart: the exception, whichever check or case it broke."""
    _, raises, error = finding.what.partition("raises ")
    return error if raises else f"{finding.check}: {finding.what}"


def runs_of(registered: Registered, registry: Registry | None = None) -> dict[str, Run]:
    """Return every check of a plug-in by its name, ready to run on its own."""
    first: dict[str, Run] = {check.name: partial(check.findings, registered) for check in contract.CHECKS}

    @cache
    def subject() -> Subject | None:
        """Make the plug-in once for all checks; None where the contract is broken, which its own checks tell."""
        if any(run() for run in first.values()):
            return None
        models = _models(registered, registry or load_registry()) if registered.kind == "unlearner" else ()
        return Subject(registered, build(registered, {}), models)

    def look(check: Check) -> list[Finding]:
        made = subject()
        return check.findings(made) if made else []

    return first | {check.name: partial(look, check) for check in checks_of(registered.kind)}


def _models(registered: Registered, registry: Registry) -> tuple[Registered, ...]:
    known = (registered.source, *(found.source for found in registry.plugins if found.source.kind == "builtin"))
    return tuple(model for model in registry.all("model") if model.source in known)
