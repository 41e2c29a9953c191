"""The commands of the tutorial, one after the other, with nothing installed but unlearnbench."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OFFLINE = "--quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --target site"


def commands(page: Path) -> list[str]:
    return [
        line for language, text in BLOCK.findall(page.read_text()) if language == "bash" for line in text.splitlines()
    ]


@pytest.mark.slow
def test_the_tutorial_leads_to_a_checked_submission(tmp_path: Path) -> None:
    for language, text in BLOCK.findall(PAGE.read_text()):
        if language == "yaml":
            (tmp_path / text.splitlines()[0].removeprefix("# ")).write_text(text)
    beside = Path(sys.executable).parent  # where the command unlearnbench is
    environment = {**os.environ, "PATH": f"{beside}:{os.environ['PATH']}", "PYTHONPATH": str(tmp_path / "site")}
    for command in commands(PAGE):
        offline = command.replace("pip install", f"pip install {OFFLINE}")
        done = subprocess.run(["bash", "-c", offline], cwd=tmp_path, env=environment, capture_output=True, text=True)  # noqa: S603, S607 - our own page
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert "nothing found" in done.stdout or "leaderboard check" not in command
    assert (tmp_path / "site" / "my-board" / "index.html").exists()
    assert list(tmp_path.glob("*.svg"))
