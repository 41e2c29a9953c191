"""unlearnbench measures how much deleting a record from a model gives the record away.

The names below are the public interface; each is imported when first used, so that ``import unlearnbench`` is quick.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "core.attacks": ("Attack", "Baseline", "FittedAttack", "ScoreAttack"),
    "core.datasets": ("Dataset",),
    "core.defenses": ("ReleaseDefense", "ReleaseKeys"),
    "core.errors": ("UserError",),
    "core.estimates": ("Estimate",),
    "core.executors": ("Executor",),
    "core.models": ("FitTask", "Fitted", "Seeds", "TargetModel"),
    "core.observations": ("Needs", "Observations", "ShadowView", "View"),
    "core.pools": ("EpisodeSizes", "Pools"),
    "core.records": ("Provenance", "Records", "Step", "TrainingSet"),
    "core.requests": ("Queries", "Request", "Role", "Scenario"),
    "core.scored": ("Metric", "Scored"),
    "core.seeding": ("SeedPath",),
    "engine.training": ("TrainingJob",),
    "engine.unlearners": ("ExactUnlearner", "FunctionUnlearner"),
    "hooks.markers": ("hookimpl",),
    "hooks.records": (
        "AttackPlugin",
        "DatasetPlugin",
        "DefensePlugin",
        "ExecutorPlugin",
        "MetricPlugin",
        "ModelPlugin",
        "ScenarioPlugin",
        "UnlearnerPlugin",
    ),
    "hooks.registry": ("load_registry",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME_OF)]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
