"""Which submissions a pull request is asked about, and what becomes of the answers."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / ".github" / "scripts" / "check_submissions.py"
spec = importlib.util.spec_from_file_location("check_submissions", SCRIPT)
assert spec
assert spec.loader
submissions: Any = importlib.util.module_from_spec(spec)
spec.loader.exec_module(submissions)

FINDING = {"where": "arrays.npz", "what": "is changed", "remedy": "pack it again"}


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - ours


def commit(root: Path, *files: str) -> str:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("{}", encoding="utf-8")
    git(root, "add", "--all")
    git(root, "commit", "-q", "-m", "x", "--allow-empty")
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", ".")
    return tmp_path


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, str, str]]:
    """Answer instead of the command line: exit code, output and errors, by the verb or the folder asked about."""
    known: dict[str, tuple[int, str, str]] = {"build": (0, "", "")}

    def answer(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(arguments, *known[arguments[-1]])

    monkeypatch.setattr(submissions, "unlearnbench", answer)
    return known


def told(checkout: Path) -> dict[str, Any]:
    records = [json.loads(file.read_text(encoding="utf-8")) for file in sorted((checkout / "out").glob("*.json"))]
    return {record["submission"]: record["findings"] for record in records}


def run(checkout: Path, base: str) -> int:
    return int(submissions.main([base, "--root", str(checkout), "--out", str(checkout / "out")]))


def test_submissions_are_found_by_the_paths_that_differ() -> None:
    paths = [
        "leaderboards/a/submissions/x-1/arrays.npz",
        "leaderboards/a/submissions/x-1/submission.json",
        "leaderboards/a/submissions/stray",
        "leaderboards/a/results.json",
        "leaderboards/b/submissions/y 2/submission.json",
        "",
    ]
    assert submissions.submissions(paths) == ["leaderboards/a/submissions/x-1", "leaderboards/b/submissions/y 2"]


def test_only_what_the_branch_changed_is_asked_about(checkout: Path) -> None:
    commit(checkout, "leaderboards/a/submissions/old-1/submission.json")
    base = git(checkout, "branch", "--show-current")
    git(checkout, "switch", "-q", "-c", "entry")
    commit(checkout, "leaderboards/a/submissions/new \u00e9-2/submission.json", "unlearnbench/code.py")
    git(checkout, "switch", "-q", base)
    commit(checkout, "leaderboards/a/submissions/merged-meanwhile-3/submission.json")
    git(checkout, "switch", "-q", "entry")
    assert submissions.changed(base, checkout) == ["leaderboards/a/submissions/new \u00e9-2"]


def test_a_sound_submission_is_no_finding(checkout: Path, answers: dict[str, tuple[int, str, str]]) -> None:
    base = commit(checkout)
    commit(checkout, "leaderboards/a/submissions/x-1/submission.json")
    answers["leaderboards/a/submissions/x-1"] = (0, '{"findings": [], "notes": ["wrote"]}', "")
    assert run(checkout, base) == 0
    assert told(checkout) == {"leaderboards/a/submissions/x-1": [], "leaderboards": []}


def test_findings_are_written_and_make_the_check_fail(checkout: Path, answers: dict[str, tuple[int, str, str]]) -> None:
    base = commit(checkout)
    commit(checkout, "leaderboards/a/submissions/x-1/submission.json")
    answers["leaderboards/a/submissions/x-1"] = (1, json.dumps({"findings": [FINDING], "notes": []}), "")
    assert run(checkout, base) == 1
    assert told(checkout)["leaderboards/a/submissions/x-1"] == [FINDING]


def test_a_mistake_or_a_crash_is_a_finding(checkout: Path, answers: dict[str, tuple[int, str, str]]) -> None:
    base = commit(checkout)
    commit(checkout, "leaderboards/a/submissions/x-1/submission.json")
    answers["leaderboards/a/submissions/x-1"] = (2, "", "Traceback\nerror: no such suite\n")
    assert run(checkout, base) == 1
    [finding] = told(checkout)["leaderboards/a/submissions/x-1"]
    assert finding["what"] == "error: no such suite"


def test_a_removed_submission_is_a_finding(checkout: Path, answers: dict[str, tuple[int, str, str]]) -> None:
    base = commit(checkout, "leaderboards/a/submissions/x-1/submission.json")
    git(checkout, "rm", "-q", "-r", "leaderboards")
    commit(checkout)
    assert run(checkout, base) == 1
    assert told(checkout)["leaderboards/a/submissions/x-1"][0]["what"] == "is removed"


def test_boards_that_cannot_be_built_are_a_finding(checkout: Path, answers: dict[str, tuple[int, str, str]]) -> None:
    base = commit(checkout)
    answers["build"] = (1, "row 1: is not what the submission gives\n", "")
    assert run(checkout, base) == 1
    assert told(checkout)["leaderboards"][0]["what"] == "row 1: is not what the submission gives"


def test_too_many_submissions_are_not_all_checked(checkout: Path, answers: dict[str, tuple[int, str, str]]) -> None:
    base = commit(checkout)
    names = [f"leaderboards/a/submissions/x-{number:02}" for number in range(submissions.MOST + 5)]
    commit(checkout, *(f"{name}/submission.json" for name in names))
    answers |= dict.fromkeys(names, (0, '{"findings": [], "notes": []}', ""))
    assert run(checkout, base) == 1
    assert len(told(checkout)) == submissions.MOST + 1
