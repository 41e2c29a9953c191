"""All built-in plug-ins pass the kit, and a broken contract is reported before anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench import Attack, ScoreAttack, UserError
from unlearnbench.core.dataset_cards import Located
from unlearnbench.core.observations import View
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.hooks.parameters import build
from unlearnbench.hooks.records import AttackPlugin, Kind
from unlearnbench.hooks.registry import Registered, Registry, Source, load_registry
from unlearnbench.testing import ConformanceFinding, checks_of, findings_of

OURS = load_registry(discover=False)
REFUSES = {"oracle-label"}  # a run computes its scores, since no attack has access to membership
COMPILE = {"dask", "decision-tree", "forest-exact", "lightgbm", "mlp", "processes", "random-forest", "simple-cnn"}
GOES_WITH = {
    "certified-removal": "logistic-regression",
    "cfw": "simple-cnn",
    "ct": "simple-cnn",
    "decremental": "naive-bayes",
    "deltagrad": "logistic-regression",
    "descent-to-delete": "logistic-regression",
    "forest-exact": "random-forest",
    "kde": "simple-cnn",
    "langevin": "logistic-regression",
    "leaf-refit": "lightgbm",
    "msg": "simple-cnn",
    "newton": "logistic-regression",
    "rewind-to-delete": "logistic-regression",
    "rni": "simple-cnn",
    "rum": "mlp",
}
BUNDLED = {"adult", "breast-cancer", "digits"}

VARIANTS: dict[tuple[Kind, str], list[dict[str, object]]] = {
    ("attack", "augmentation"): [{"copies": 1, "scale": 1.6}],
    ("attack", "noise-robustness"): [{"copies": 3}],
    ("attack", "lira"): [{"center": "mean"}],
    ("attack", "u-lira"): [{"out": "original", "references": 5}],
    ("attack", "iam"): [{"distribution": "normal", "out": "original"}],
    ("attack", "rmia"): [{"mode": "online"}],
    ("attack", "ruli"): [{"bandwidth": "scott"}],
    ("attack", "several-queries"): [{"copies": 2, "model": "logistic-regression"}],
    ("attack", "sorted-concat"): [{"sort_by": "unlearned"}],
    ("attack", "sorted-diff"): [
        {"sort_by": "independent"},
        {"model": "logistic-regression"},
        {"model": "mlp"},
        {"model": "lightgbm"},
    ],
    ("attack", "tri-class"): [
        {"score": "retained", "model": "logistic-regression"},
        {"score": "trained", "model": "mlp"},
        {"score": "verdict", "model": "lightgbm"},
    ],
    ("defense", "top-k"): [{"k": 1}, {"k": 100}],
    ("defense", "temperature"): [{"temperature": 0.1}, {"temperature": 50.0}],
    ("model", "logistic-regression"): [{"scaler": "refit"}],
    ("model", "decision-tree"): [{"max_leaf_nodes": None}],
    ("model", "random-forest"): [
        {"n_estimators": 7, "min_samples_leaf": 3},
        {"n_estimators": 7, "min_samples_leaf": 3, "draws": "redrawn"},
    ],
    ("model", "mlp"): [{"hidden": [8], "epochs": 2, "batch_size": 32, "scaler": "refit"}],
    ("model", "lightgbm"): [{"n_estimators": 5}],
    ("model", "nearest-neighbours"): [{"k": 1, "scaler": "refit"}],
    ("scenario", "group"): [{"size": 7}],
    ("scenario", "online"): [{"delete": 3, "add": 2}],
    ("scenario", "sequence"): [{"size": 2}],
    ("scenario", "retained"): [{"size": 3}],
    ("scenario", "memorised"): [{"level": "low"}, {"level": "mid", "size": 3, "models": 18}],
    ("scenario", "column-group"): [{"column": 0, "size": 4}],
    ("scenario", "outlier"): [{"share": 0.5, "k": 1}],
    ("scenario", "neighbours"): [{"size": 1, "k": 10}],
    ("unlearner", "amnesiac"): [{"epochs": 1}],
    ("unlearner", "random-label"): [{"variant": "static"}, {"variant": "mixed"}],
    ("unlearner", "retrain"): [{"init": "fresh", "order": "fresh"}, {"init": "same", "order": "compact"}],
    ("unlearner", "rum"): [{"score": "memorisation"}],
    ("unlearner", "sisa"): [{"shards": 3, "mean": "size"}],
}
"""Other parameters than the defaults with which the built-in plug-ins are checked."""


def builtin() -> Iterator[object]:
    for plugin in OURS.plugins:
        slow = plugin.name in COMPILE or (plugin.kind == "dataset" and plugin.name not in BUNDLED)
        if plugin.name not in REFUSES:
            marks = [pytest.mark.slow] if slow else []
            yield pytest.param(plugin, {}, id=f"{plugin.kind}:{plugin.name}", marks=marks)
        for params in VARIANTS.get((plugin.kind, plugin.name), []):
            given = ",".join(f"{key}={value}" for key, value in params.items())
            yield pytest.param(plugin, params, id=f"{plugin.kind}:{plugin.name}({given})")


@pytest.mark.filterwarnings("ignore:The number of unique classes is greater")  # scikit-learn's, of thirty classes
@pytest.mark.parametrize(("plugin", "params"), [*builtin()])
def test_every_builtin_plugin_passes_all_checks(plugin: Registered, params: dict[str, object]) -> None:
    if plugin.kind == "dataset":
        made = build(plugin, {})
        if isinstance(made, Located) and not made.availability().available:
            pytest.skip("not on this machine")
    model = GOES_WITH.get(plugin.name, "mlp" if changes_weights(plugin) else "decision-tree")
    assert findings_of(plugin, Registry((OURS.get("model", model),)), params) == []


def changes_weights(plugin: Registered) -> bool:
    return issubclass(plugin.load(), GradientUnlearner)


@pytest.mark.slow
@pytest.mark.parametrize("plugin", OURS.all("unlearner"), ids=str)
def test_every_builtin_unlearner_passes_all_checks_with_every_model(plugin: Registered) -> None:
    assert findings_of(plugin, OURS) == []


@pytest.mark.parametrize("kind", ["dataset", "model", "unlearner", "scenario", "defense", "attack", "metric"])
def test_every_check_has_a_requirement_and_a_hint(kind: Kind) -> None:
    checks = checks_of(kind)
    assert len({check.name for check in checks}) == len(checks) > 5
    for check in checks:
        assert check.requirement.endswith(".")
        assert check.hint.endswith(".")


class Right(ScoreAttack):
    """Gives all rows the same score."""

    def score(self, view: View) -> NDArray[np.float64]:
        return 0.0 * view.before[:, 0]


class NoAttack:
    """Not an attack."""


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

    def __init__(self, size=3) -> None:  # type: ignore[no-untyped-def]  # what is refused
        pass


@dataclass(frozen=True)
class WrongDefault(Right):
    """Has a default of the wrong type."""

    size: int = "large"  # type: ignore[assignment]  # the error to find


class Abstract(Attack):
    """Writes nothing."""


def findings(factory: str | type) -> list[ConformanceFinding]:
    record = AttackPlugin(name="mine", summary="Mine", factory=factory)
    return findings_of(Registered(record, Source("file", "mine.py")))


def test_a_correct_plugin_passes() -> None:
    assert findings(Right) == []


@pytest.mark.parametrize(
    ("factory", "check", "problem"),
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
def test_a_broken_contract_is_the_only_finding(factory: str | type, check: str, problem: str) -> None:
    first, *others = findings(factory)
    assert first.check == check
    assert problem in first.problem
    assert not others


def test_an_exception_in_many_checks_is_reported_once() -> None:
    class Falls(Right):
        """Falls."""

        def score(self, view: View) -> NoReturn:
            raise RuntimeError("no score today")

    (finding,) = findings(Falls)
    assert finding.problem.startswith("raises RuntimeError (test_kit.py:")
    assert finding.problem.endswith("no score today")


def test_a_finding_reads_as_problem_and_hint() -> None:
    assert str(ConformanceFinding("same-seed", "it differs", "Use rng.")) == "same-seed: it differs\n  hint: Use rng."


def test_an_executor_that_loses_a_task_is_found(found: Callable[..., set[str]]) -> None:
    from unlearnbench import Executor

    class Forgets(Executor):
        def run(self, work: Any, tasks: Any, limits: Any = None) -> Iterator[Any]:
            refuse(limits)
            yield from ((task, work(task)) for task in tasks[1:])

    assert found("executor", Forgets) == {"does-every-task-once"}


def refuse(limits: object) -> None:
    if limits:
        raise UserError("this executor cannot enforce limits")


def test_an_executor_that_takes_limits_and_does_not_enforce_them_is_found(found: Callable[..., set[str]]) -> None:
    from unlearnbench import Executor

    class Unlimited(Executor):
        def run(self, work: Any, tasks: Any, limits: Any = None) -> Iterator[Any]:
            yield from ((task, work(task)) for task in tasks)

    assert found("executor", Unlimited) == {"enforces-limits"}


def test_an_executor_that_hides_the_error_of_a_user_is_found(found: Callable[..., set[str]]) -> None:
    from unlearnbench import Executor

    class Hides(Executor):
        def run(self, work: Any, tasks: Any, limits: Any = None) -> Iterator[Any]:
            refuse(limits)
            for task in tasks:
                try:
                    outcome = work(task)
                except UserError:
                    outcome = None
                yield task, outcome

    assert found("executor", Hides) == {"passes-on-users-errors"}
