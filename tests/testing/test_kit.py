"""The kit finds nothing in any plug-in of our own, and tells a broken contract before anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from unlearnbench import Attack, ScoreAttack
from unlearnbench.core.dataset_cards import Located
from unlearnbench.hooks.parameters import build
from unlearnbench.hooks.records import AttackPlugin, Kind
from unlearnbench.hooks.registry import Registered, Registry, Source, load_registry
from unlearnbench.testing import Finding, checks_of, findings_of

OURS = load_registry(discover=False).plugins
REFUSES = {"oracle-label"}  # which the runner makes: no attack is given membership
SLOW = {
    "blind",
    "decision-tree",
    "lightgbm",
    "mlp",
    "processes",
    "random-forest",
    "simple-cnn",
}  # compile, or fit often
BUNDLED = {"adult", "breast-cancer", "digits"}


def ours() -> Iterator[object]:
    for plugin in OURS:
        slow = plugin.kind == "unlearner" or (plugin.kind == "dataset" and plugin.name not in BUNDLED)
        marks = [pytest.mark.slow] if slow or plugin.name in SLOW else []
        if plugin.name not in REFUSES:
            yield pytest.param(plugin, id=f"{plugin.kind}:{plugin.name}", marks=marks)


@pytest.mark.parametrize("plugin", [*ours()])
def test_nothing_is_found_in_our_own(plugin: Registered, registry: Registry) -> None:
    if plugin.kind == "dataset":
        made = build(plugin, {})
        if isinstance(made, Located) and not made.availability().available:
            pytest.skip("not on this machine")
    assert findings_of(plugin, registry) == []


@pytest.mark.parametrize("kind", ["dataset", "model", "unlearner", "scenario", "defense", "attack", "metric"])
def test_every_check_says_what_it_asks_and_how_to_mend(kind: Kind) -> None:
    checks = checks_of(kind)
    assert len({check.name for check in checks}) == len(checks) > 5
    for check in checks:
        assert check.asks.endswith(".")
        assert check.hint.endswith(".")


class Right(ScoreAttack):
    """Says the same of everybody."""

    def score(self, view):
        return 0.0 * view.before[:, 0]


class NoAttack:
    """Is none."""


class Undocumented(Right):
    pass


@dataclass(frozen=True)
class GeneratedDocumentation(Right):
    size: int = 1


class Required(Right):
    """Needs a size."""

    def __init__(self, size: int) -> None:
        pass


class Untyped(Right):
    """Has a size of any type."""

    def __init__(self, size=3):
        pass


@dataclass(frozen=True)
class WrongDefault(Right):
    """Has a size that is none."""

    size: int = "large"  # type: ignore[assignment]  # that is what is wrong


class Abstract(Attack):
    """Writes nothing."""


def findings(factory: str | type) -> list[Finding]:
    record = AttackPlugin(name="mine", summary="Mine", factory=factory)
    return findings_of(Registered(record, Source("file", "mine.py")))


def test_what_is_right_passes() -> None:
    assert findings(Right) == []


@pytest.mark.parametrize(
    ("factory", "check", "what"),
    [
        (NoAttack, "is-of-its-kind", "NoAttack does not derive from unlearnbench's Attack"),
        ("nowhere.at_all:Attack", "is-of-its-kind", "cannot be loaded"),
        (Undocumented, "has-a-docstring", "Undocumented has no docstring"),
        (GeneratedDocumentation, "has-a-docstring", "GeneratedDocumentation has no docstring"),
        (Required, "can-be-made-with-defaults", "the parameter size has no default"),
        (Untyped, "can-be-made-with-defaults", "needs a name and a type"),
        (WrongDefault, "can-be-made-with-defaults", "must be an integer"),
        (Abstract, "can-be-made-with-defaults", "Can't instantiate abstract class Abstract"),
    ],
)
def test_a_broken_contract_is_all_that_is_told(factory: str | type, check: str, what: str) -> None:
    first, *others = findings(factory)
    assert first.check == check
    assert what in first.what
    assert not others


def test_what_many_checks_stumble_over_is_told_once() -> None:
    class Falls(Right):
        """Falls."""

        def score(self, view):
            raise RuntimeError("no score today")

    (finding,) = findings(Falls)
    assert finding.what.startswith("raises RuntimeError (test_kit.py:")
    assert finding.what.endswith("no score today")


def test_a_finding_reads_as_what_and_hint() -> None:
    assert str(Finding("same-seed", "it differs", "Use rng.")) == "same-seed: it differs\n  hint: Use rng."


def test_an_executor_that_loses_a_task_is_found(found: Callable[..., set[str]]) -> None:
    from unlearnbench import Executor

    class Forgets(Executor):
        def run(self, work, tasks):
            yield from ((task, work(task)) for task in tasks[1:])

    assert found("executor", Forgets) == {"does-every-task-once"}


def test_an_executor_that_hides_the_error_of_a_user_is_found(found: Callable[..., set[str]]) -> None:
    from unlearnbench import Executor, UserError

    class Hides(Executor):
        def run(self, work, tasks):
            for task in tasks:
                try:
                    outcome = work(task)
                except UserError:
                    outcome = None
                yield task, outcome

    assert found("executor", Hides) == {"passes-on-users-errors"}
