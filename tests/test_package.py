"""The public face: these names, importable, light, of one version."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import unlearnbench

ROOT = Path(__file__).parents[1]

PUBLIC: tuple[str, ...] = vars(unlearnbench)["__all__"]

FUNCTION_TYPES = {"Edit", "Loss", "Measure", "Penalty", "Rate", "StepRule"}
"""Names of types of functions, which have no name of their own."""

NAMES = {
    "__version__",
    # what one does from Python
    "run_suite",
    "Results",
    "observe",
    "Observed",
    # what plug-ins are made of
    "Attack",
    "Baseline",
    "FittedAttack",
    "ScoreAttack",
    "Dataset",
    "ReleaseDefense",
    "ReleaseKeys",
    "Executor",
    "Limits",
    "Failure",
    "Work",
    "Deletion",
    "Original",
    "FitTask",
    "Fitted",
    "Seeds",
    "TargetModel",
    "Queries",
    "Request",
    "Role",
    "Scenario",
    "StratumScenario",
    "Candidates",
    "Metric",
    "ScoredCell",
    "TrainingJob",
    "Unlearner",
    "ExactUnlearner",
    "FunctionUnlearner",
    "SklearnModel",
    # values they handle
    "Estimate",
    "Needs",
    "Observations",
    "PopulationAnswers",
    "ReferenceAnswers",
    "ShadowView",
    "View",
    "EpisodeSizes",
    "Pools",
    "Provenance",
    "Records",
    "Step",
    "TrainingSet",
    "SeedPath",
    "UserError",
    "log_odds",
    "log_of",
    "log_softmax",
    # networks
    "FittedTorch",
    "HasModule",
    "TorchModel",
    "Batch",
    "BoundedUnlearner",
    "Bounds",
    "Made",
    "StepGradients",
    "cosine",
    "GradientUnlearner",
    "WeightEdit",
    "cross_entropy",
    *FUNCTION_TYPES,
    "Optimizer",
    "Pass",
    "Stage",
    "Term",
    "Choice",
    "CountsPasses",
    "Decremental",
    "Range",
    "StepLog",
    "DPSGD",
    "PublicationDefense",
    "State",
    "TrainingDefense",
    "TrainingOptions",
    # how they are offered
    "hookimpl",
    "AttackPlugin",
    "DatasetPlugin",
    "DefensePlugin",
    "ExecutorPlugin",
    "MetricPlugin",
    "ModelPlugin",
    "ScenarioPlugin",
    "UnlearnerPlugin",
    "load_registry",
}


def test_the_public_names_are_these() -> None:
    assert set(PUBLIC) == NAMES
    assert len(PUBLIC) == len(NAMES)
    assert dir(unlearnbench) == sorted(PUBLIC)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_public_name_can_be_imported_and_is_called_so(name: str) -> None:
    found = getattr(unlearnbench, name)
    assert getattr(found, "__name__", name) == ("Callable" if name in FUNCTION_TYPES else name)


def test_everything_can_be_imported_at_once() -> None:
    there: dict[str, object] = {}
    exec("from unlearnbench import *", there)  # noqa: S102 - that is what is tried
    assert there.keys() >= NAMES


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'unlearnbench' has no attribute 'Atack'"):
        unlearnbench.Atack  # type: ignore[attr-defined]  # noqa: B018 - looking is the test


def test_importing_the_package_imports_nothing_more() -> None:
    code = "import sys; before = set(sys.modules); import unlearnbench; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    imported = {name.partition(".")[0] for name in done.stdout.split()}
    assert imported - sys.stdlib_module_names == {"unlearnbench"}


def test_one_public_name_imports_no_heavy_library() -> None:
    code = "import sys; from unlearnbench import *; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    heavy = {"torch", "sklearn", "scipy", "pandas", "numba", "lightgbm"}
    assert not heavy & {name.partition(".")[0] for name in done.stdout.split()}


def test_the_version_is_written_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["hatch"]["version"]["path"] == "unlearnbench/__init__.py"
    try:
        installed = metadata.version("unlearnbench")
    except metadata.PackageNotFoundError:
        return  # tested from a checkout
    assert installed == unlearnbench.__version__


def test_the_module_can_be_run_and_is_the_command_line() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "unlearnbench", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours

    version = run("--version")
    assert (version.returncode, version.stdout) == (0, f"unlearnbench {unlearnbench.__version__}\n")
    mistake = run("runn")
    assert mistake.returncode == 2
    assert mistake.stderr.startswith("error: ")
