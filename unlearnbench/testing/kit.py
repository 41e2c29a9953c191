"""The conformance kit: runs the checks of a plug-in's kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import import_module

from unlearnbench.hooks.parameters import build
from unlearnbench.hooks.records import Kind
from unlearnbench.hooks.registry import Registered, Registry, load_registry
from unlearnbench.testing import contract
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import Check, ConformanceFinding

Run = Callable[[], list[ConformanceFinding]]


def checks_of(kind: Kind) -> tuple[Check, ...]:
    """Return the checks of a kind, in order, without those of the contract, which all kinds share."""
    checks: tuple[Check, ...] = import_module(f"unlearnbench.testing.{kind}s").CHECKS
    return checks


def findings_of(
    registered: Registered, registry: Registry | None = None, params: Mapping[str, object] | None = None
) -> list[ConformanceFinding]:
    """Run all checks on a plug-in, with default parameters or ``params``; return an empty list where all pass.

    Where the contract is broken, the checks of the kind are not run. ``registry`` holds the models that an unlearner is
    tried with: the built-in ones, and those of its own file or distribution. An exception that fails several checks is
    reported once.
    """
    found = [finding for run in runs_of(registered, registry, params).values() for finding in run()]
    return list({_cause(finding): finding for finding in reversed(found)}.values())[::-1]


def _cause(finding: ConformanceFinding) -> str:
    """Return what identifies a finding: its exception, in whatever check or case, else its text."""
    _, raises, error = finding.problem.partition("raises ")
    return error if raises else f"{finding.check}: {finding.problem}"


def runs_of(
    registered: Registered, registry: Registry | None = None, params: Mapping[str, object] | None = None
) -> dict[str, Run]:
    """Return the checks of a plug-in by name, each as a function to run."""
    first: dict[str, Run] = {check.name: partial(check.findings, registered) for check in contract.CHECKS}

    @cache
    def subject() -> Subject | None:
        """Make the plug-in once for all checks; None where the contract is broken."""
        if any(run() for run in first.values()):
            return None
        models = _models(registered, registry or load_registry()) if registered.kind == "unlearner" else ()
        return Subject(registered, build(registered, params or {}), models)

    def run_check(check: Check) -> list[ConformanceFinding]:
        made = subject()
        return check.findings(made) if made else []

    return first | {check.name: partial(run_check, check) for check in checks_of(registered.kind)}


def _models(registered: Registered, registry: Registry) -> tuple[Registered, ...]:
    known = (registered.source, *(found.source for found in registry.plugins if found.source.kind == "builtin"))
    return tuple(model for model in registry.all("model") if model.source in known)
