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

PACK = ("leaderboard", "pack", "tiny.yaml", "--name", "An entry", "--author", "An author")
ONLY = {
    "unlearners": ["retrain", "none", "random-noise", "noise-floor"],
    "exclude": [{"unlearner": name, "because": "a test"} for name in ("none", "random-noise", "noise-floor")],
}


@pytest.fixture
def packed(say: Say, change: Change) -> str:
    """Run and pack a suite of one bench; return the submission's folder."""
    change(**ONLY)
    assert say("run", "tiny.yaml").code == 0
    said = say(*PACK)
    assert (said.code, said.err) == (0, "")
    word, _, folder = said.out.strip().partition(" ")
    assert word == "wrote"
    assert folder.startswith("leaderboards/tiny/submissions/an-entry-")
    return folder


def test_what_is_packed_is_found_sound_and_can_be_run_anew(say: Say, packed: str) -> None:
    said = say("leaderboard", "check", packed, "--suite", "tiny.yaml")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1] == f"{packed}: nothing found"
    said = say("leaderboard", "check", packed, "--suite", "tiny.yaml", "--rerun", "1", "--nonce", "spring")
    assert said.code == 0
    assert "note: run again, compared to the bit: breast-cancer, decision-tree" in said.out


def test_arrays_elsewhere_are_given_to_a_check_and_a_board_is_built_without_them(say: Say, packed: str) -> None:
    beside = Path(packed, "arrays.npy.xz")
    assert say(*PACK, "--arrays", "large", "--address", "https://example.org/large").out.startswith("wrote ")
    (folder,) = (path for path in Path(packed).parent.iterdir() if path != Path(packed))
    (arrays,) = Path("large").iterdir()
    assert arrays.read_bytes() == beside.read_bytes()
    for file in Path(packed).iterdir():
        file.unlink()
    Path(packed).rmdir()
    check = ("leaderboard", "check", str(folder), "--suite", "tiny.yaml", "--accept")
    said = say(*check)
    assert said.code == 1
    assert "fetch https://example.org/large/" in said.out
    assert said.out.splitlines()[-1] == f"{folder}: 1 finding"
    assert say(*check, "--arrays", "large").code == 0
    said = say("leaderboard", "build")
    assert said.code == 0
    assert f"note: the arrays of {folder} are not here; a check of it needs them: --arrays PATH" in said.out


def test_as_many_cells_are_run_again_as_fit_into_the_minutes(say: Say, packed: str) -> None:
    again = ("--rerun-minutes", "0.001", "--nonce", "spring")
    said = say("leaderboard", "check", packed, "--suite", "tiny.yaml", *again)
    assert said.code == 0
    assert said.out.count("note: run again, ") == 1
    both = say("leaderboard", "check", packed, "--rerun", "1", *again)
    assert (both.code, "give --rerun or --rerun-minutes" in both.err) == (2, True)


def test_what_is_accepted_becomes_the_board_and_a_number_typed_by_hand_is_found(say: Say, packed: str) -> None:
    check = ("leaderboard", "check", packed, "--suite", "tiny.yaml", "--rerun", "1", "--nonce", "spring", "--accept")
    said = say(*check)
    assert (said.code, said.err) == (0, "")
    record, board = Path(packed, "accepted.json"), Path(packed).parents[1]
    assert f"{record}; now: leaderboard build" in said.out
    assert say("leaderboard", "build").code == 0
    assert say("leaderboard", "build", "--check").code == 0
    data = json.loads(record.read_text())
    assert (data["nonce"], data["rerun"][0][:33]) == ("spring", "compared to the bit: breast-cance")
    data["digest"] = "0" * 64
    record.write_text(json.dumps(data))
    before = {path: path.read_bytes() for path in board.glob("*.*")}
    said = say("leaderboard", "build")
    assert said.code == 1
    assert {path: path.read_bytes() for path in board.glob("*.*")} == before
    assert "is another submission than was accepted" in said.out


def test_what_is_withdrawn_is_listed_with_the_reason(say: Say, packed: str) -> None:
    assert say("leaderboard", "withdraw", packed, "--because", "an error").code == 2
    assert say("leaderboard", "check", packed, "--suite", "tiny.yaml", "--accept").code == 0
    said = say("leaderboard", "withdraw", packed, "--because", "an error")
    assert (said.code, said.err) == (0, "")
    assert say("leaderboard", "build").code == 0
    assert "withdrawn: an error" in (Path(packed).parents[1] / "README.md").read_text()


def test_a_whole_run_is_packed_as_one_entry_for_each_unlearner(say: Say, change: Change) -> None:
    change(unlearners=["retrain", "sisa"], attacks=["euclidean"])
    assert say("run", "tiny.yaml").code == 0
    said = say(*PACK)
    first, second = (line.removeprefix("wrote ") for line in said.out.splitlines())
    assert [Path(each).name[:-9] for each in (first, second)] == ["an-entry", "sisa"]
    for folder in (first, second):
        checked = say("leaderboard", "check", folder, "--suite", "tiny.yaml", "--accept")
        assert (checked.code, checked.err) == (0, "")
    alone = say(*PACK[:3], "--author", "Another", "--entry", "unlearner=sisa", "--tuned", "no")
    assert alone.out.startswith("wrote leaderboards/tiny/submissions/sisa-")
    again = say("leaderboard", "check", alone.out.split()[-1], "--suite", "tiny.yaml")
    assert "sisa has an entry, sisa-" in again.out


def test_what_an_entry_consists_of_is_run_alone(say: Say, change: Change) -> None:
    change(**ONLY, attacks=["euclidean", "sorted-diff"])
    said = say("run", "tiny.yaml", "--entry", "unlearner=sisa:shards=2")
    assert said.code == 0
    told = say("status", "tiny.yaml", "--entry", "unlearner=sisa:shards=2")
    assert told.code == 0
    assert say(*PACK, "--entry", "unlearner=sisa:shards=2").code == 0
    both = say("run", "tiny.yaml", "--entry", "unlearner=sisa", "--only", "seed=0")
    assert (both.code, "--entry and --only both choose cells" in both.err) == (2, True)
    no_entry = say(*PACK, "--tuned", "so")
    assert (no_entry.code, "--tuned and --supersedes are of one entry" in no_entry.err) == (2, True)


def test_what_is_not_sound_is_not_accepted(say: Say, packed: str) -> None:
    document = Path(packed, "submission.json")
    document.write_text(document.read_text().replace("An author", "Another"))
    said = say("leaderboard", "check", packed, "--suite", "tiny.yaml", "--accept")
    assert said.code == 1
    assert "note: not accepted: fix the findings first" in said.out
    assert not Path(packed, "accepted.json").exists()


def test_findings_are_listed_all_and_exit_with_1(say: Say, packed: str) -> None:
    document = Path(packed, "submission.json")
    document.write_text(document.read_text().replace("An author", "Another"))
    Path(packed).rename("moved")
    said = say("leaderboard", "check", "moved", "--suite", "tiny.yaml")
    assert (said.code, said.err) == (1, "")
    first, second, *_, last = said.out.splitlines()
    assert first.startswith("moved: its path ends in ")
    assert second.startswith("submission.json: was changed after it was packed")
    assert last == "moved: 2 findings"


def test_json_holds_findings_and_notes(say: Say, packed: str) -> None:
    Path(packed, "more").touch()
    said = say("leaderboard", "check", packed, "--suite", "tiny.yaml", "--json", "--rerun", "1", "--nonce", "spring")
    assert said.code == 1
    assert json.loads(said.out) == {
        "findings": [
            {
                "where": "more",
                "what": "does not belong to a submission",
                "remedy": "leave only submission.json and arrays.npy.xz there",
            }
        ],
        "notes": ["no cell was run again: fix the findings first"],
    }


def test_many_findings_are_cut_and_counted(say: Say, packed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unlearnbench.cli.leaderboard.MOST_LINES", 1)
    for name in "abc":
        Path(packed, name).touch()
    said = say("leaderboard", "check", packed, "--suite", "tiny.yaml")
    assert said.out.splitlines()[1:] == ["and 2 more; --json lists all", f"{packed}: 3 findings"]


def test_an_unfinished_run_is_not_packed(say: Say, tmp_path: Path) -> None:
    said = say(*PACK)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: suite tiny is not finished: ")
    assert not (tmp_path / "leaderboards").exists()


def test_a_failed_run_is_not_packed(say: Say, change: Change) -> None:
    change(attacks=["fails"], plugins=["fails.py"], **ONLY)
    assert say("run", "tiny.yaml").code == 1
    said = say(*PACK, "--run-plugin-files")
    assert said.code == 2
    assert "1 cell failed: RuntimeError: no score today; run it to its end, then pack it" in said.err


def test_an_entry_by_a_plugin_of_ones_own_is_packed_and_checked(say: Say, change: Change) -> None:
    Path("fails.py").write_text(
        Path("fails.py").read_text().replace('raise RuntimeError("no score today")', "return view.after[:, 0] * 1.0")
    )
    change(attacks=["fails"], plugins=["fails.py"], **ONLY)
    assert say("run", "tiny.yaml").code == 0
    folder = say(*PACK, "--run-plugin-files").out.split()[-1]
    part = next(
        one for one in json.loads(Path(folder, "submission.json").read_text())["plugins"] if one["name"] == "fails"
    )
    assert (part["distribution"], part["version"], len(part["sha256"])) == ("fails.py", "", 64)
    check = ("leaderboard", "check", folder, "--suite", "tiny.yaml", "--run-plugin-files")
    found = say(*check)
    assert (found.code, "attack fails, has-a-docstring: Fails has no docstring; Write" in found.out) == (1, True)
    said = say(*check, "--no-check-plugins")
    assert (said.code, "note: plug-ins of others were not checked" in said.out) == (0, True)
    Path("fails.py").write_text(
        Path("fails.py").read_text().replace("* 1.0", "* 2.0") + "open('executed', 'w').close()"
    )
    said = say(*check[:-1])
    assert (said.code, said.out) == (2, "")
    assert "names plug-in files, which a check would execute: fails.py; read them, then add --run-plugin-" in said.err
    assert not Path("executed").exists()
    said = say(*check)
    assert said.code == 1
    assert "submission.json, attack fails: differs from the one here: sha256" in said.out
    assert "its keys differ" in said.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--rerun", "3"), "give --rerun or --rerun-minutes, and --nonce together"),
        (("--nonce", "spring"), "give --rerun or --rerun-minutes, and --nonce together"),
        (("--rerun", "0", "--nonce", "spring"), "invalid value for '--rerun'"),
        (("--suite", "nothing.yaml"), "nothing.yaml: cannot read the suite"),
    ],
)
def test_a_mistake_in_the_flags_is_one_line_and_exits_with_2(
    say: Say, packed: str, arguments: tuple[str, ...], told: str
) -> None:
    said = say("leaderboard", "check", packed, *arguments)
    assert (said.code, said.out) == (2, "")
    (line,) = said.err.splitlines()
    assert told in line


def test_a_path_from_the_folder_of_submissions_is_as_good_as_another(
    say: Say, packed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, folder = str(Path("tiny.yaml").absolute()), Path(packed)
    monkeypatch.chdir(folder.parent)
    said = say("leaderboard", "check", f"../submissions/{folder.name}", "--suite", suite)
    assert (said.code, said.err) == (0, "")


def test_a_submission_that_is_not_there_exits_with_2(say: Say) -> None:
    said = say("leaderboard", "check", "nowhere")
    assert said.code == 2
    assert said.err.endswith("nowhere: there is no such folder; give that of one submission\n")


def test_a_name_that_is_markup_is_refused(say: Say) -> None:
    said = say("leaderboard", "pack", "tiny.yaml", "--name", "<b>", "--author", "An author")
    assert said.code == 2
    assert said.err.startswith("error: --name: must be up to 100 letters, digits, spaces")
