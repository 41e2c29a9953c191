"""What GitHub is told names things that are here, pins what it takes, and gives no right that is not needed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
OURS = re.compile(r"(?:\.github|tests|docs|benchmarks|plugins|unlearnbench)/[\w./-]*\w|constraints[\w-]*\.txt")


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def names(paths: list[Path]) -> list[str]:
    return [path.stem for path in paths]


def jobs(workflow: Path) -> dict[str, Any]:
    return dict(read(workflow)["jobs"])


def steps(workflow: Path) -> Iterator[dict[str, Any]]:
    for job in jobs(workflow).values():
        yield from job["steps"]


def pins(file: str) -> dict[str, str]:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    named = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in named}


def project() -> dict[str, Any]:
    return dict(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"])


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=names(WORKFLOWS))
def test_a_workflow_starts_with_few_rights_and_ends_some_time(workflow: Path) -> None:
    read_only: tuple[dict[str, str], ...] = ({}, {"contents": "read"})
    assert read(workflow)["permissions"] in read_only
    assert all("timeout-minutes" in job for job in jobs(workflow).values())


def test_only_these_jobs_may_write_anything() -> None:
    may = {
        (workflow.stem, name): {right for right, how in job.get("permissions", {}).items() if how == "write"}
        for workflow in WORKFLOWS
        for name, job in jobs(workflow).items()
    }
    assert {job: rights for job, rights in may.items() if rights} == {
        ("docs", "deploy"): {"pages", "id-token"},
        ("release", "publish"): {"id-token"},
        ("submissions-comment", "comment"): {"pull-requests"},
    }


def test_what_may_write_never_fetches_code_of_a_pull_request() -> None:
    for workflow in WORKFLOWS:
        events = read(workflow)[True]  # YAML reads the word `on` so
        assert "pull_request_target" not in events
        if "workflow_run" in events:
            fetched = [step["with"] for step in steps(workflow) if step.get("uses", "").startswith("actions/checkout@")]
            assert [each["ref"] for each in fetched] == ["${{ github.event.repository.default_branch }}"]


def test_code_of_a_pull_request_runs_without_secrets_and_rights() -> None:
    """Those of ``pull_request`` run what anybody proposes: no secret is named, and only main may be deployed."""
    for workflow in WORKFLOWS:
        if "pull_request" not in read(workflow)[True]:
            continue
        text = workflow.read_text(encoding="utf-8")
        assert "secrets." not in text
        assert "github.token" not in text
        for job in jobs(workflow).values():
            may_write = "write" in job.get("permissions", {}).values()
            assert not may_write or job["if"] == "github.ref == 'refs/heads/main'"


def test_submissions_of_a_pull_request_have_cells_run_again_within_the_time_of_their_job() -> None:
    (job,) = jobs(GITHUB / "workflows" / "submissions.yml").values()
    command = next(step["run"] for step in job["steps"] if "check_submissions.py" in step.get("run", ""))
    (minutes,) = re.findall(r"--rerun-minutes (\d+)", command)
    assert 0 < int(minutes) < 30 < job["timeout-minutes"]
    assert '--author-is "$AUTHOR_IS"' in command


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=names(WORKFLOWS))
def test_actions_are_pinned_to_a_version_and_no_text_of_an_event_becomes_a_command(workflow: Path) -> None:
    for step in steps(workflow):
        action = step.get("uses", "./")
        assert action.startswith("./") or re.search(r"@(v\d+|release/v\d+)$", action)
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=names(WORKFLOWS))
def test_a_workflow_names_files_and_targets_that_are_here(workflow: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for step in steps(workflow):
        commands = step.get("run", "")
        for target in re.findall(r"^make ([\w-]+)", commands, re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
        text = f"{commands} {step.get('uses', '')} {step.get('with', '')}"
        missing = [name for name in OURS.findall(text) if not (ROOT / name).exists()]
        assert [name for name in missing if not name.startswith("docs/_build")] == []


def test_the_action_that_installs_names_files_that_are_here() -> None:
    action = read(GITHUB / "actions" / "install" / "action.yml")
    assert (ROOT / action["inputs"]["constraints"]["default"]).exists()
    known = set(action["inputs"])
    for workflow in WORKFLOWS:
        for step in steps(workflow):
            if step.get("uses") == "./.github/actions/install":
                assert set(step.get("with", {})) <= known


def test_every_python_that_is_declared_is_tested() -> None:
    tested = jobs(GITHUB / "workflows" / "tests.yml")["tests"]["strategy"]["matrix"]["python"]
    prefix = "Programming Language :: Python :: 3."
    declared = [line.rpartition(" ")[2] for line in project()["classifiers"] if line.startswith(prefix)]
    assert tested == declared


def test_nothing_is_published_before_its_dependencies_are_audited_and_listed() -> None:
    release = jobs(GITHUB / "workflows" / "release.yml")
    assert set(release["publish"]["needs"]) == {"build", "dependencies"}
    commands = "\n".join(step.get("run", "") for step in release["dependencies"]["steps"])
    assert "pip-audit --path" in commands
    assert "pip-audit --requirement constraints.txt" in commands
    (written,) = re.findall(r"cyclonedx-py environment .*--output-file (\w+)/", commands)
    assert written in [step.get("with", {}).get("path") for step in release["dependencies"]["steps"]]
    assert not any("continue-on-error" in step for step in release["dependencies"]["steps"])


@pytest.mark.parametrize("form", FORMS, ids=names(FORMS))
def test_a_form_is_one_that_github_takes(form: Path) -> None:
    content = read(form)
    assert {"name", "description", "body"} <= content.keys()
    asked = [part for part in content["body"] if part["type"] != "markdown"]
    assert len({part["id"] for part in asked}) == len(asked)
    assert all(part["attributes"].get("label") for part in asked)
    assert {part["type"] for part in content["body"]} <= {"markdown", "input", "textarea", "dropdown", "checkboxes"}
    assert all(
        isinstance(choice, str)
        for part in asked
        if part["type"] == "dropdown"
        for choice in part["attributes"]["options"]
    )


def test_the_lowest_versions_are_those_of_the_project() -> None:
    extras = project()["optional-dependencies"]
    declared = [
        Requirement(each) for each in [*project()["dependencies"], *extras["data"], *extras["dp"], *extras["plots"]]
    ]
    floors = {canonicalize_name(each.name): Version(next(iter(each.specifier)).version) for each in declared}
    lowest = pins("constraints-lowest.txt")
    assert {name: Version(version) for name, version in lowest.items() if name in floors} == floors
    tools = {name: version for name, version in lowest.items() if name not in floors}
    assert tools.items() <= pins("constraints.txt").items()


def test_the_extra_for_development_asks_for_no_other_versions() -> None:
    extras = {
        name: {str(Requirement(each)) for each in given} for name, given in project()["optional-dependencies"].items()
    }
    assert extras["data"] | extras["dp"] | extras["docs"] | extras["plots"] | extras["bench"] <= extras["dev"]


def test_hooks_before_a_commit_use_the_version_that_is_tested() -> None:
    hooks = {each["repo"]: each["rev"] for each in read(ROOT / ".pre-commit-config.yaml")["repos"]}
    assert hooks["https://github.com/astral-sh/ruff-pre-commit"] == f"v{pins('constraints.txt')['ruff']}"
