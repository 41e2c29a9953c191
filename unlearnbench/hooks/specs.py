"""The hooks. A plug-in implements some of them, as functions marked with ``unlearnbench.hooks.hookimpl``.

Eight *collecting* hooks yield records, one hook per kind. Four *observers* are called as a run proceeds. An exception
in an observer is logged and never fails a cell, and an observer may leave out arguments that it does not need. Each
example is a complete plug-in file that ``--plugin-file FILE`` accepts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pluggy

from unlearnbench.hooks.records import (
    AttackPlugin,
    DatasetPlugin,
    DefensePlugin,
    ExecutorPlugin,
    MetricPlugin,
    ModelPlugin,
    ScenarioPlugin,
    UnlearnerPlugin,
)

PROJECT: Final = "unlearnbench"
"""The project of the hooks, the prefix of their names, and the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def unlearnbench_datasets() -> Iterable[DatasetPlugin]:
    """Yield data sets.

    Example::

        from unlearnbench.hooks import hookimpl
        from unlearnbench.hooks.records import DatasetPlugin

        @hookimpl
        def unlearnbench_datasets():
            yield DatasetPlugin(
                name="my-survey",
                summary="Answers of 4,000 people to 30 questions",
                factory="my_package.survey:Survey",
                licence="CC-BY-4.0",
            )
    """
    return ()


@hookspec
def unlearnbench_models() -> Iterable[ModelPlugin]:
    """Yield target models.

    Example::

        from unlearnbench.hooks import hookimpl
        from unlearnbench.hooks.records import ModelPlugin

        @hookimpl
        def unlearnbench_models():
            yield ModelPlugin(
                name="my-bayes",
                summary="Gaussian naive Bayes",
                factory="my_package.bayes:NaiveBayes",
            )
    """
    return ()


@hookspec
def unlearnbench_unlearners() -> Iterable[UnlearnerPlugin]:
    """Yield unlearning algorithms.

    Example::

        from unlearnbench.hooks import hookimpl
        from unlearnbench.hooks.records import UnlearnerPlugin

        @hookimpl
        def unlearnbench_unlearners():
            yield UnlearnerPlugin(
                name="my-method",
                summary="One Newton step that removes the forget set",
                factory="my_package.method:MyMethod",
                reference="Author 2026, arXiv ...",
                sees=("forget-set", "retain-set", "labels"),
            )
    """
    return ()


@hookspec
def unlearnbench_scenarios() -> Iterable[ScenarioPlugin]:
    """Yield scenarios: kinds of deletion requests.

    Example::

        from unlearnbench.hooks import hookimpl
        from unlearnbench.hooks.records import ScenarioPlugin

        @hookimpl
        def unlearnbench_scenarios():
            yield ScenarioPlugin(
                name="whole-class",
                summary="All records of one class are deleted together",
                factory="my_package.scenarios:WholeClass",
            )
    """
    return ()


@hookspec
def unlearnbench_defenses() -> Iterable[DefensePlugin]:
    """Yield defenses.

    Example::

        from unlearnbench.hooks import hookimpl
        from unlearnbench.hooks.records import DefensePlugin

        @hookimpl
        def unlearnbench_defenses():
            yield DefensePlugin(
                name="rounding",
                summary="Posteriors rounded to two digits",
                factory="my_package.defenses:Rounding",
                stage="release",
            )
    """
    return ()


@hookspec
def unlearnbench_attacks() -> Iterable[AttackPlugin]:
    """Yield attacks. In a plug-in file the factory may be the class itself.

    Example::

        from unlearnbench.core.attacks import ScoreAttack
        from unlearnbench.core.observations import Needs
        from unlearnbench.hooks import hookimpl
        from unlearnbench.hooks.records import AttackPlugin

        class LabelLoss(ScoreAttack):
            needs = Needs(versions="both", label=True)

            def __init__(self, power: float = 1.0) -> None:
                self.power = power

            def score(self, view):
                rows = range(len(view))
                drop = view.before[rows, view.label] - view.after[rows, view.label]
                return drop * self.power

        @hookimpl
        def unlearnbench_attacks():
            yield AttackPlugin(
                name="label-loss",
                summary="How much the loss on the true class rises",
                factory=LabelLoss,
                label=True,
            )
    """
    return ()


@hookspec
def unlearnbench_metrics() -> Iterable[MetricPlugin]:
    """Yield metrics.

    Example::

        from unlearnbench.hooks import hookimpl
        from unlearnbench.hooks.records import MetricPlugin

        @hookimpl
        def unlearnbench_metrics():
            yield MetricPlugin(
                name="best-f1",
                summary="The largest F1 score over all thresholds",
                factory="my_package.metrics:BestF1",
            )
    """
    return ()


@hookspec
def unlearnbench_executors() -> Iterable[ExecutorPlugin]:
    """Yield executors, which run the tasks of a plan.

    Example::

        from unlearnbench.hooks import hookimpl
        from unlearnbench.hooks.records import ExecutorPlugin

        @hookimpl
        def unlearnbench_executors():
            yield ExecutorPlugin(
                name="my-cluster",
                summary="Jobs of the batch system of our cluster",
                factory="my_package.cluster:MyCluster",
            )
    """
    return ()


@hookspec
def unlearnbench_before_run(suite: object, plan: object) -> None:
    """Observe the start of a run, before anything is trained. The arguments are the run's own suite and plan.

    Example::

        from unlearnbench.hooks import hookimpl

        @hookimpl
        def unlearnbench_before_run(suite, plan):
            print("starting", suite)
    """


@hookspec
def unlearnbench_after_cell(cell: object, results: object) -> None:
    """Observe the results of one cell of the suite's grid, as soon as it is measured.

    Example::

        from unlearnbench.hooks import hookimpl

        @hookimpl
        def unlearnbench_after_cell(cell, results):
            print(cell, results)
    """


@hookspec
def unlearnbench_on_cell_error(cell: object, error: object) -> None:
    """Observe the failure of a cell.

    Example::

        from unlearnbench.hooks import hookimpl

        @hookimpl
        def unlearnbench_on_cell_error(cell, error):
            print(cell, "failed:", error)
    """


@hookspec
def unlearnbench_after_run(suite: object, results: object) -> None:
    """Observe the results of the whole run, including failed cells.

    Example::

        from unlearnbench.hooks import hookimpl

        @hookimpl
        def unlearnbench_after_run(results):
            print("done:", results)
    """
