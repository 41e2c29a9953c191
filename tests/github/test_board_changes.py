"""What the comment on a pull request says of the boards, and that nothing in it can mean more than text."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / ".github" / "scripts"
HEADER = "model,attack,row_status,row_reason,column,metric,value,low,high,n,status,reason,best_rank,worst_rank"
ROW = "tree,diff,ok,,auc,auc,0.84168,0.78,0.88,25,ok,,1,6"


def script(name: str) -> ModuleType:
    """Import a script by its file: it belongs to no package."""
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec
    assert spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


Boards = Callable[..., Path]

changes: Any = script("board_changes")


@pytest.fixture
def boards(tmp_path: Path) -> Boards:
    """Return a function that writes the table of one board and gives the folder of all boards."""

    def write(when: str, *rows: str, board: str = "quickstart", header: str = HEADER) -> Path:
        folder = tmp_path / when
        (folder / board).mkdir(parents=True, exist_ok=True)
        (folder / board / "table.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
        return folder

    return write


def written(folder: Path, *records: object) -> Path:
    folder.mkdir()
    for number, record in enumerate(records):
        (folder / f"{number}.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def table(text: str) -> list[list[str]]:
    """Return the cells of the lines of the table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_equal_boards_differ_in_nothing(boards: Boards) -> None:
    text = changes.comment(boards("before", ROW), boards("after", ROW))
    assert "No number of any board differs." in text
    assert "|" not in text


def test_a_change_shows_value_interval_and_rank_before_and_after(boards: Boards) -> None:
    other = ROW.replace("tree", "forest")
    moved = ROW.replace("0.84168", "0.9").replace("1,6", "1,2")
    text = changes.comment(boards("before", ROW, other), boards("after", moved, other))
    assert "Numbers that differ: 1. As before: 1." in text
    assert table(text) == [
        ["changed", "`tree / diff`", "`auc`", "`0.8417 [0.7800, 0.8800] #1-6`", "`0.9000 [0.7800, 0.8800] #1-2`"]
    ]


def test_what_is_added_and_removed_is_told(boards: Boards) -> None:
    text = changes.comment(boards("before", ROW), boards("after", ROW.replace("diff", "ratio")))
    assert [(cells[0], cells[1]) for cells in table(text)] == [
        ("added", "`tree / ratio`"),
        ("removed", "`tree / diff`"),
    ]


def test_a_new_board_and_one_that_is_gone_are_told(boards: Boards) -> None:
    before, after = boards("before", ROW, board="old"), boards("after", ROW, board="new")
    text = changes.comment(before, after)
    assert "### `new`" in text
    assert "### `old`" in text
    assert [cells[0] for cells in table(text) if cells[0] != "what" and "-" not in cells[0]] == ["added", "removed"]


def test_a_difference_below_the_digits_shown_is_shown_in_full(boards: Boards) -> None:
    text = changes.comment(boards("before", ROW), boards("after", ROW.replace("0.84168", "0.84169")))
    assert "0.84168" in text
    assert "0.84169" in text


def test_a_failed_row_and_an_undefined_number_show_their_reason(boards: Boards) -> None:
    failed = "tree,diff,failed,out of memory,auc,auc,,,,,,,,"
    undefined = "tree,diff,ok,,auc,auc,,,,3,undefined,n/a (ties),,"
    [line] = table(changes.comment(boards("before", failed), boards("after", undefined)))
    assert line[3:] == ["`failed: out of memory`", "`undefined: n/a (ties)`"]


HOSTILE = "@everyone <script>x</script> [a](http://b) `code` **b** | #1 &#64; \\ \x1b[31m \u202e"


def test_text_of_strangers_is_code_in_one_cell(boards: Boards, tmp_path: Path) -> None:
    row = ROW.replace("diff", f'"{HOSTILE}"')
    checks = written(
        tmp_path / "checks",
        {"submission": HOSTILE, "findings": [{"where": HOSTILE, "what": "a\n# b", "remedy": ""}]},
    )
    text = changes.comment(boards("before", ROW), boards("after", row), checks)
    assert {len(cells) for cells in table(text)} == {5}
    outside = "".join(text.split("`")[::2])
    assert "`" * 2 not in text
    assert not set("@<[*\\&") & set(outside)
    assert text.isprintable() is False  # line ends
    assert text.replace("\n", "").isprintable()
    assert "\n# b" not in text


@pytest.mark.parametrize(("author", "told"), [("NONE", True), ("CONTRIBUTOR", True), ("OWNER", False)])
def test_a_record_of_maintainers_that_a_stranger_brings_is_told(boards: Boards, author: str, told: bool) -> None:
    paths = ["leaderboards/a/submissions/x-1/accepted.json", "leaderboards/a/table.csv", "leaderboards/a/hidden.json"]
    text = changes.comment(boards("before", ROW), boards("after", ROW), None, paths, author)
    assert text.count("**must not be merged**: maintainers write it") == 2 * told


def test_how_many_cells_were_run_again_and_what_else_is_to_be_known_is_told(boards: Boards, tmp_path: Path) -> None:
    notes = ["run again, compared to the bit: a", "run again, compared to the bit: b", "made in another environment"]
    checks = written(tmp_path / "checks", {"submission": "one", "findings": [], "notes": notes})
    text = changes.comment(boards("before", ROW), boards("after", ROW), checks)
    assert "- `one`: nothing found\n  - cells that were run again: 2\n  - note: `made in another environment`\n" in text


def test_long_tables_and_texts_are_cut(boards: Boards) -> None:
    rows = [ROW.replace("diff", f"{number}{'x' * 5000}") for number in range(400)]
    text = changes.comment(boards("before"), boards("after", *rows))
    assert len(table(text)) == changes.MOST_LINES
    assert "And 350 more." in text
    assert len(text) < changes.MOST_OF_ALL


def test_the_whole_text_fits_a_comment(boards: Boards) -> None:
    for board in range(60):
        boards("before", board=f"b{board}")
        boards("after", *[ROW.replace("diff", f"{n}{'x' * 190}") for n in range(50)], board=f"b{board}")
    text = changes.comment(boards("before"), boards("after"))
    assert len(text) <= changes.MOST_OF_ALL + 100
    assert text.endswith("The rest is left out: it is too long.\n")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a,b\n" + b"x" * 200_000, b""])
def test_a_table_that_cannot_be_read_is_told(boards: Boards, content: bytes) -> None:
    after = boards("after", ROW)
    (after / "quickstart" / "table.csv").write_bytes(content)
    assert "### `quickstart`" in changes.comment(boards("before", ROW), after)


@pytest.mark.parametrize("content", ["", "[1]", "{}", "[" * 100_000, '{"submission": 1, "findings": [1]}'])
def test_a_check_that_cannot_be_read_is_told(tmp_path: Path, content: str) -> None:
    checks = written(tmp_path / "checks")
    (checks / "0.json").write_text(content, encoding="utf-8")
    assert "cannot be read" in changes.comment(tmp_path, tmp_path, checks)


def test_a_link_that_leads_out_is_not_read(boards: Boards, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(f"{HEADER}\n{ROW}\n", encoding="utf-8")
    before, after = boards("before"), boards("after")
    (after / "quickstart" / "table.csv").unlink()
    (after / "quickstart" / "table.csv").symlink_to(secret)
    assert "tree" not in changes.comment(before, after)


def test_findings_are_listed_below_their_submission(tmp_path: Path) -> None:
    found = {"where": "arrays.npy.xz", "what": "is changed", "remedy": "pack it again"}
    checks = written(
        tmp_path / "checks", {"submission": "one", "findings": [found]}, {"submission": "two", "findings": []}
    )
    text = changes.comment(tmp_path, tmp_path, checks)
    assert "- `one`: 1 finding\n  - `arrays.npy.xz: is changed; pack it again`\n- `two`: nothing found\n" in text


def test_the_real_tables_are_read() -> None:
    root = SCRIPTS.parents[1] / "leaderboards"
    for file in root.glob("*/table.csv"):
        board = changes.read_board(file)
        lines = file.read_text(encoding="utf-8").splitlines()
        assert len(board) == len(lines) - 1, "names of numbers are not unique: see MEASURED"
        assert set(changes.MEASURED) <= set(lines[0].split(","))


def test_the_script_prints_it(boards: Boards, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = boards("before", ROW), boards("after")
    assert changes.main([str(before), str(after)]) == 0
    assert capsys.readouterr().out == changes.comment(before, after)


def test_entries_that_came_or_went_are_told_and_markup_of_theirs_stays_text(tmp_path: Path) -> None:
    header = "id,name,axis,label,author,date,version,tuned,status,reason,digest"
    for when, lines in {
        "before": ("a-1,a,,,Ada,2026-11-27,,,accepted,,0", "b-2,b,,,Bo,2026-11-27,,,accepted,,0"),
        "after": ("a-1,a,,,Ada,2026-11-27,,,withdrawn,*reads* labels,0", "c-3,c,,,<b>C</b>,2026-11-27,,,accepted,,0"),
    }.items():
        (tmp_path / when / "quickstart").mkdir(parents=True)
        (tmp_path / when / "quickstart" / "entries.csv").write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    text = changes.comment(tmp_path / "before", tmp_path / "after")
    assert "- `quickstart`: entry `a-1`: `withdrawn *reads* labels by Ada`, was `accepted by Ada`" in text
    assert "- `quickstart`: entry `b-2`: `not there`, was `accepted by Bo`" in text
    assert "- `quickstart`: entry `c-3`: `accepted by <b>C</b>`, was `not there`" in text


def test_entries_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "after" / "quickstart").mkdir(parents=True)
    (tmp_path / "after" / "quickstart" / "entries.csv").write_text("id\na-1\n", encoding="utf-8")
    assert "`quickstart`: its entries cannot be read" in changes.comment(tmp_path / "before", tmp_path / "after")
