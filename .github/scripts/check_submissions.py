"""Check every submission that differs from another commit, and accept those in which nothing is found.

Writes one JSON file for each submission, and the boards as they would be: run it in a checkout that is thrown away.
Exits with 1 where anything is found.

    python .github/scripts/check_submissions.py origin/main --out checks
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MOST = 20
"""Submissions that one run checks."""


def changed(base: str, root: Path) -> list[str]:
    """Return the folders of submissions in which any file differs from the commit ``base``."""
    command = ["git", "diff", "--name-only", "-z", f"{base}...HEAD", "--", "leaderboards/*/submissions/**"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)  # noqa: S603 - no shell
    return submissions(done.stdout.split("\0"))


def submissions(paths: Sequence[str]) -> list[str]:
    """Return the folder ``leaderboards/<suite>/submissions/<id>`` of each path, once."""
    parts = [path.split("/") for path in paths if path]
    return sorted({"/".join(each[:4]) for each in parts if len(each) > 4 and each[2] == "submissions"})


def check(folder: str, root: Path) -> dict[str, Any]:
    """Return what the check finds in one submission; where that is nothing, write it to its board."""
    if not (root / folder).exists():
        return {"submission": folder, "findings": [finding(folder, "is removed", "say why in the pull request")]}
    done = unlearnbench(root, "leaderboard", "check", "--accept", "--json", "--", folder)
    try:
        told = json.loads(done.stdout)
        return {"submission": folder, "findings": told["findings"], "notes": told["notes"]}
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        return {"submission": folder, "findings": [finding(folder, last, "see the log of the check")]}


def build(root: Path) -> dict[str, Any]:
    """Return what stops the boards from being built, as if they were a submission."""
    done = unlearnbench(root, "leaderboard", "build")
    lines = [*done.stdout.splitlines(), *done.stderr.splitlines()] if done.returncode else []
    return {"submission": "leaderboards", "findings": [finding("build", line, "see RULES.md") for line in lines]}


def finding(where: str, what: str, remedy: str) -> dict[str, str]:
    """Return a finding of our own, like those of the check."""
    return {"where": where, "what": what, "remedy": remedy}


def unlearnbench(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line of the package that is installed here."""
    command = [sys.executable, "-m", "unlearnbench", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603 - no shell


def main(arguments: list[str] | None = None) -> int:
    """Check what changed, write one file for each, and tell whether anything was found."""
    parser = argparse.ArgumentParser(description="Check every submission that differs from another commit.")
    parser.add_argument("base", help="the commit to compare with")
    parser.add_argument("--out", type=Path, default=Path("checks"), help="the folder to write to")
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout")
    given = parser.parse_args(arguments)
    folders = changed(given.base, given.root)
    records = [check(folder, given.root) for folder in folders[:MOST]]
    if len(folders) > MOST:
        left = finding("submissions", f"{len(folders)} are too many for one pull request", f"open one for every {MOST}")
        records.append({"submission": "leaderboards", "findings": [left]})
    records.append(build(given.root))
    given.out.mkdir(parents=True, exist_ok=True)
    for number, record in enumerate(records):
        (given.out / f"{number:03}.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    return int(any(record["findings"] for record in records))


if __name__ == "__main__":
    sys.exit(main())
