"""Check every submission that differs from another commit, and accept those in which nothing is found.

Cells of each are run again, in a part of the minutes that there are. Arrays that are not in the checkout are fetched
from where the submission says. Writes one JSON file for each submission, and the boards as they would be: run it in a
checkout that is thrown away. Exits with 1 where anything is found.

    python .github/scripts/check_submissions.py origin/main --out checks --rerun-minutes 20 --author-is CONTRIBUTOR
"""

from __future__ import annotations

import argparse
import json
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maintainers import records_of_others

MOST = 20
"""Submissions that one run checks."""
WORKERS = 2
MOST_FETCHED = 2**30
"""Bytes of a file of arrays, as of the check."""


def changed(base: str, root: Path) -> list[str]:
    """Return the paths below the boards that differ from the commit ``base``."""
    command = ["git", "diff", "--name-only", "-z", f"{base}...HEAD", "--", "leaderboards/**"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)  # noqa: S603 - no shell
    return done.stdout.split("\0")


def submissions(paths: Sequence[str]) -> list[str]:
    """Return the folder ``leaderboards/<suite>/submissions/<id>`` of each path, once."""
    parts = [path.split("/") for path in paths if path]
    return sorted({"/".join(each[:4]) for each in parts if len(each) > 4 and each[2] == "submissions"})


def check(folder: str, root: Path, minutes: float, arrays: Path) -> dict[str, Any]:
    """Return what the check finds in one submission; where that is nothing, write it to its board.

    Cells are run again for about so many ``minutes``, drawn by a text that nobody could know before. Arrays that are
    elsewhere are fetched into the folder ``arrays``.
    """
    if not (root / folder).exists():
        return {"submission": folder, "findings": [finding(folder, "is removed", "say why in the pull request")]}
    fetched = fetch(root / folder / "submission.json", arrays)
    if fetched:
        return {"submission": folder, "findings": [fetched]}
    again = [f"--rerun-minutes={minutes:.2f}", f"--workers={WORKERS}", f"--nonce={secrets.token_hex(8)}"]
    where = ["--arrays", str(arrays)] if arrays.is_dir() else []
    done = unlearnbench(root, "leaderboard", "check", "--accept", "--json", *again, *where, "--", folder)
    try:
        told = json.loads(done.stdout)
        return {"submission": folder, "findings": told["findings"], "notes": told["notes"]}
    except (ValueError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        return {"submission": folder, "findings": [finding(folder, last, "see the log of the check")]}


def fetch(document: Path, arrays: Path) -> dict[str, str] | None:
    """Fetch the arrays of a submission that says where they are and has none; return a finding where that fails.

    Whether they are the right ones, the check says.
    """
    try:
        told = json.loads(document.read_text(encoding="utf-8"))
        wanted = _wanted(told, document.with_name("arrays.npy.xz"))
        if wanted is None:
            return None
        address, size = wanted
        arrays.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310 - https, see _wanted
            (arrays / f"{len(list(arrays.iterdir()))}.npy.xz").write_bytes(answer.read(size))
    except (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        what = f"its arrays cannot be fetched ({type(error).__name__})"
        return finding(document.parent.name, what, "put them where arrays_address says")
    return None


def _wanted(told: Mapping[str, Any], beside: Path) -> tuple[str, int] | None:
    """Return address and size of the arrays that are not there; None where nothing is to be fetched."""
    address = told.get("arrays_address", "")
    if not address or beside.exists():
        return None
    if not address.startswith("https://") or not 0 < told["arrays_bytes"] <= MOST_FETCHED:
        raise ValueError
    return address, told["arrays_bytes"]


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
    parser.add_argument("--rerun-minutes", type=float, default=20.0, help="how long cells may be run again, in all")
    parser.add_argument("--author-is", default="", help="what the author is to the repository, as GitHub says it")
    parser.add_argument("--arrays", type=Path, default=Path("fetched-arrays"), help="the folder to fetch arrays into")
    given = parser.parse_args(arguments)
    paths = changed(given.base, given.root)
    folders = submissions(paths)
    minutes = given.rerun_minutes / max(len(folders), 1)
    told = [check(folder, given.root, minutes, given.arrays.absolute()) for folder in folders[:MOST]]
    strange = records_of_others(paths, given.author_is)
    found = [finding(path, "is written by maintainers", "leave it out") for path in strange]
    if len(folders) > MOST:
        many = f"{len(folders)} are too many for one pull request"
        found.append(finding("submissions", many, f"open one for every {MOST}"))
    told += [{"submission": "the pull request", "findings": found}] if found else []
    told.append(build(given.root))
    given.out.mkdir(parents=True, exist_ok=True)
    for number, record in enumerate(told):
        (given.out / f"{number:03}.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    return int(any(record["findings"] for record in told))


if __name__ == "__main__":
    sys.exit(main())
