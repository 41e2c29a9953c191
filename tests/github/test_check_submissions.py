"""Which submissions a pull request is asked about, and what becomes of the answers."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from maintainers import MAINTAINERS

SCRIPT = Path(__file__).parents[2] / ".github" / "scripts" / "check_submissions.py"
spec = importlib.util.spec_from_file_location("check_submissions", SCRIPT)
assert spec
assert spec.loader
submissions: Any = importlib.util.module_from_spec(spec)
spec.loader.exec_module(submissions)

FINDING = {"where": "arrays.npy.xz", "what": "is changed", "remedy": "pack it again"}


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


def run(checkout: Path, base: str, *more: str) -> int:
    folders = ["--root", str(checkout), "--out", str(checkout / "out"), "--arrays", str(checkout / "fetched")]
    return int(submissions.main([base, *folders, *more]))


def test_submissions_are_found_by_the_paths_that_differ() -> None:
    paths = [
        "leaderboards/a/submissions/x-1/arrays.npy.xz",
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
    assert submissions.submissions(submissions.changed(base, checkout)) == ["leaderboards/a/submissions/new \u00e9-2"]


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


RECORDS = ("leaderboards/a/submissions/x-1/accepted.json", "leaderboards/a/hidden.json")


@pytest.mark.parametrize("author", ["", "NONE", "CONTRIBUTOR", "FIRST_TIME_CONTRIBUTOR"])
@pytest.mark.parametrize("record", RECORDS)
def test_a_record_of_maintainers_that_a_stranger_brings_is_a_finding(
    checkout: Path, answers: dict[str, tuple[int, str, str]], author: str, record: str
) -> None:
    base = commit(checkout, "leaderboards/a/submissions/x-1/submission.json")
    commit(checkout, record)
    answers["leaderboards/a/submissions/x-1"] = (0, '{"findings": [], "notes": []}', "")
    assert run(checkout, base, "--author-is", author) == 1
    found = [each for findings in told(checkout).values() for each in findings]
    assert [(each["where"], each["what"]) for each in found] == [(record, "is written by maintainers")]


@pytest.mark.parametrize("author", MAINTAINERS)
def test_maintainers_may_bring_their_records(
    checkout: Path, answers: dict[str, tuple[int, str, str]], author: str
) -> None:
    base = commit(checkout, "leaderboards/a/submissions/x-1/submission.json")
    commit(checkout, *RECORDS)
    answers["leaderboards/a/submissions/x-1"] = (0, '{"findings": [], "notes": []}', "")
    assert run(checkout, base, "--author-is", author) == 0


def test_all_submissions_share_the_minutes_and_each_has_a_nonce_of_its_own(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def answer(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        asked.append(arguments)
        return subprocess.CompletedProcess(arguments, 0, '{"findings": [], "notes": []}', "")

    monkeypatch.setattr(submissions, "unlearnbench", answer)
    base = commit(checkout)
    commit(checkout, *(f"leaderboards/a/submissions/x-{number}/submission.json" for number in range(4)))
    assert run(checkout, base, "--rerun-minutes", "20") == 0
    checks = [arguments for arguments in asked if "check" in arguments]
    assert [next(each for each in one if each.startswith("--rerun-minutes")) for one in checks] == [
        "--rerun-minutes=5.00"
    ] * 4
    assert len({next(each for each in one if each.startswith("--nonce=")) for one in checks}) == 4


class Answer:
    """What is at an address."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None: ...

    def read(self, size: int) -> bytes:
        return self.content[:size]


def outside(checkout: Path, **told: object) -> Path:
    document = checkout / "leaderboards/a/submissions/x-1/submission.json"
    document.parent.mkdir(parents=True)
    document.write_text(json.dumps(told))
    return document


def test_arrays_are_fetched_up_to_the_size_that_the_submission_says(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions.urllib.request, "urlopen", lambda address, timeout: Answer(b"12345678"))
    document = outside(checkout, arrays_address="https://example.org/a", arrays_bytes=5)
    assert submissions.fetch(document, checkout / "fetched") is None
    assert [file.read_bytes() for file in (checkout / "fetched").iterdir()] == [b"12345"]


@pytest.mark.parametrize("size", [0, -1, 2**40, "5", None])
@pytest.mark.parametrize("address", ["https://example.org/a", "file:///etc/passwd", "http://example.org", 5])
def test_what_must_not_be_fetched_is_a_finding(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, address: object, size: object
) -> None:
    monkeypatch.setattr(submissions.urllib.request, "urlopen", None)
    found = submissions.fetch(outside(checkout, arrays_address=address, arrays_bytes=size), checkout / "fetched")
    assert "its arrays cannot be fetched" in found["what"]
    assert not (checkout / "fetched").exists()


def test_nothing_is_fetched_for_arrays_that_are_here_or_have_no_address(checkout: Path) -> None:
    document = outside(checkout, arrays_bytes=5)
    assert submissions.fetch(document, checkout / "fetched") is None
    document.write_text(json.dumps({"arrays_address": "https://example.org/a", "arrays_bytes": 5}))
    document.with_name("arrays.npy.xz").touch()
    assert submissions.fetch(document, checkout / "fetched") is None
    assert not (checkout / "fetched").exists()


def test_too_many_submissions_are_not_all_checked(checkout: Path, answers: dict[str, tuple[int, str, str]]) -> None:
    base = commit(checkout)
    names = [f"leaderboards/a/submissions/x-{number:02}" for number in range(submissions.MOST + 5)]
    commit(checkout, *(f"{name}/submission.json" for name in names))
    answers |= dict.fromkeys(names, (0, '{"findings": [], "notes": []}', ""))
    assert run(checkout, base) == 1
    assert len(told(checkout)) == submissions.MOST + 2
