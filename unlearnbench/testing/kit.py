"""The conformance kit: runs the checks of a plug-in's kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Final

from unlearnbench.hooks.parameters import build
from unlearnbench.hooks.records import Kind
from unlearnbench.hooks.registry import Registered, Registry, load_registry
from unlearnbench.hooks.sources import run_again
from unlearnbench.testing import contract
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import Check, ConformanceFinding, check
from unlearnbench.testing.process import HINT, traces_of

Run = Callable[[], list[ConformanceFinding]]
INPUTS: Final = "inputs-stay-as-they-were"


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
    reported once: by the first of them, or by that of inputs where it is an attempt to write into them.
    """
    found = [finding for run in runs_of(registered, registry, params).values() for finding in run()]
    by_cause: dict[str, ConformanceFinding] = {}
    for finding in found:
        first = by_cause.setdefault(_cause(finding), finding)
        if "read-only" in finding.problem and finding.check == INPUTS:
            by_cause[_cause(first)] = finding
    return list(by_cause.values())


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

    loading = {loads_quietly.name: partial(loads_quietly.findings, registered)}
    return first | loading | {check.name: partial(run_check, check) for check in checks_of(registered.kind)}


@check(HINT)
def loads_quietly(registered: Registered) -> Iterator[str]:
    """The code of a file, when it is loaded, changes no setting of the process and prints nothing."""
    if registered.source.kind == "file" and registered.source.path:
        for trace in traces_of(lambda: run_again(Path(registered.source.path))):
            yield f"when it is loaded, {trace}"


def _models(registered: Registered, registry: Registry) -> tuple[Registered, ...]:
    known = (registered.source, *(found.source for found in registry.plugins if found.source.kind == "builtin"))
    return tuple(model for model in registry.all("model") if model.source in known)
