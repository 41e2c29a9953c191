from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Said

Say = Callable[..., "Said"]
Change = Callable[..., None]
FILES = ("README.md", "table.csv", "table.tex")


@pytest.fixture
def board(say: Say, tmp_path: Path) -> Path:
    """Run and publish the tiny suite; return its folder."""
    said = say("run", "tiny.yaml", "--publish")
    assert said.code == 0
    assert said.out.splitlines()[-1] == "wrote leaderboards/tiny/results.json"
    return tmp_path / "leaderboards" / "tiny"


def test_build_writes_once_and_then_finds_all_current(say: Say, board: Path) -> None:
    first = say("leaderboard", "build")
    assert (first.code, first.err) == (0, "")
    assert first.out.splitlines() == [f"wrote: leaderboards/tiny/{name}" for name in FILES]
    texts = {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in board.iterdir()}
    assert texts.keys() == {"results.json", *FILES}
    again = say("leaderboard", "build")
    assert again.out == first.out.replace("wrote", "current")
    assert {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in board.iterdir()} == texts


def test_check_writes_nothing_and_exits_with_1_where_a_file_is_stale(say: Say, board: Path) -> None:
    stale = say("leaderboard", "build", "--check")
    assert (stale.code, {file.name for file in board.iterdir()}) == (1, {"results.json"})
    assert stale.out.splitlines() == [f"stale: leaderboards/tiny/{name}" for name in FILES]
    say("leaderboard", "build")
    assert say("leaderboard", "build", "--check").code == 0


@pytest.mark.parametrize("name", FILES)
def test_a_number_typed_by_hand_is_found_and_put_right(say: Say, board: Path, name: str) -> None:
    say("leaderboard", "build")
    made = (board / name).read_text()
    by_hand = made.replace("1.0", ".99", 1)
    assert by_hand != made
    (board / name).write_text(by_hand)
    assert say("leaderboard", "build", "--check").code == 1
    assert (board / name).read_text() == by_hand
    assert say("leaderboard", "build").code == 0
    assert (board / name).read_text() == made


def test_publishing_again_gives_the_same_bytes(say: Say, board: Path) -> None:
    before = (board / "results.json").read_bytes()
    say("run", "tiny.yaml", "--publish")
    assert (board / "results.json").read_bytes() == before


def test_a_publication_names_no_machine_and_no_path(board: Path, tmp_path: Path) -> None:
    text = (board / "results.json").read_text()
    assert str(tmp_path) not in text
    assert json.loads(text).keys() == {"schema", "suite", "suite_sha256", "environment", "plugins", "rows"}


def test_a_page_tells_its_controls(say: Say, board: Path) -> None:
    say("leaderboard", "build")
    page = (board / "README.md").read_text()
    for control in ("random", "blind", "oracle-label", "classical", "none", "random-noise", "noise-floor"):
        assert control in page


def test_failures_are_published_too(say: Say, change: Change, tmp_path: Path) -> None:
    change(attacks=["fails"], plugins=["fails.py"])
    said = say("run", "tiny.yaml", "--publish")
    assert said.code == 1
    assert say("leaderboard", "build").code == 0
    assert "failed" in (tmp_path / "leaderboards" / "tiny" / "README.md").read_text()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 2}', '{"submission": {}}'])
def test_a_broken_result_is_one_line_that_names_the_file(say: Say, board: Path, text: str) -> None:
    (board / "results.json").write_text(text)
    said = say("leaderboard", "build")
    assert (said.code, said.out) == (2, "")
    (line,) = said.err.splitlines()
    assert line.startswith("error: leaderboards/tiny/results.json: not a published result")


def test_a_folder_without_results_is_told_with_the_remedy(say: Say) -> None:
    said = say("leaderboard", "build", "--leaderboards", "nowhere")
    assert said.code == 2
    assert said.err == (
        "error: nowhere: there is no board below it; publish a run first: unlearnbench run SUITE --publish\n"
    )
