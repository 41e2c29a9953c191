from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unlearnbench.core.originals import Original
from unlearnbench.run.episodes import Episode, EpisodeParts, observe

if TYPE_CHECKING:
    from tests.cli.conftest import Said

Say = Callable[..., "Said"]
Change = Callable[..., None]
PART = ("--only", "unlearner=retrain", "--only", "attack=sorted-diff")


def test_a_run_prints_its_tables_and_where_the_results_are(say: Say) -> None:
    said = say("run", "tiny.yaml", "--store", "here")
    assert (said.code, said.err) == (0, "")
    for part in ("ATTACKS (BREAST-CANCER, SINGLE)", "UNLEARNERS", "DEFENSES", "oracle-label", "1.000"):
        assert part in said.out
    assert said.out.splitlines()[-1] == "24 cells done, 0 failed, 0 skipped; store: here"
    again = say("run", "tiny.yaml", "--store", "here")
    assert again == said


def test_the_store_is_a_folder_here_or_where_the_environment_says(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say("run", "tiny.yaml", *PART)
    assert (tmp_path / ".unlearnbench" / "cell-5").is_dir()
    monkeypatch.setenv("UNLEARNBENCH_STORE", str(tmp_path / "elsewhere"))
    assert say("run", "tiny.yaml", *PART).out.endswith(f"store: {tmp_path / 'elsewhere'}\n")
    assert (tmp_path / "elsewhere" / "cell-5").is_dir()
    say("run", "tiny.yaml", *PART, "--store", "flag-wins")
    assert (tmp_path / "flag-wins" / "cell-5").is_dir()


def test_a_failed_cell_makes_exit_code_1_and_tells_the_reason(say: Say, change: Change) -> None:
    change(attacks=["sorted-diff", "fails"])
    arguments = ("run", "tiny.yaml", "--only", "unlearner=retrain", "--plugin-file", "fails.py")
    said = say(*arguments)
    assert said.code == 1
    assert "6 cells done, 1 failed, 0 skipped" in said.out
    assert "RuntimeError: no score today" in said.err
    assert "Traceback" not in said.out + said.err
    assert [line.split() for line in said.out.splitlines() if line.startswith("fails ")] == [["fails", "failed"]]
    assert say(*arguments, "--rerun", "never").code == 1


def test_skipped_cells_are_no_failure(say: Say, change: Change) -> None:
    change(exclude=[{"attack": "sorted-diff", "because": "elsewhere"}], attacks=["sorted-diff", "euclidean"])
    said = say("run", "tiny.yaml", "--only", "unlearner=retrain")
    assert said.code == 0
    assert "6 cells done, 0 failed, 1 skipped" in said.out


def test_one_seed_runs_instead_of_the_suites(say: Say, change: Change) -> None:
    change(seeds=[0, 1])
    assert "2 cells done" in say("run", "tiny.yaml", *PART, "--seed", "7").out
    assert "4 cells done" in say("run", "tiny.yaml", *PART).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-suite"], 'unknown suite "no-such-suite"'),
        (["quickstrat"], 'did you mean "quickstart"?'),
        (["missing.yaml"], "missing.yaml: cannot read the suite: No such file or directory"),
        (["tiny.yaml", "--only", "attack"], "--only attack: must be key=value"),
        (["tiny.yaml", "--only", "attack=soted-diff"], 'did you mean "sorted-diff"?'),
        (["tiny.yaml", "--executor", "clouds"], 'unknown executor "clouds"'),
        (["tiny.yaml", "--rerun", "sometimes"], "'--rerun'"),
        (["tiny.yaml", "--device", "tpu"], "'--device'"),
        (["tiny.yaml", "--seed", "-1"], "'--seed'"),
        (["tiny.yaml", "--seed", "one"], "'--seed'"),
        (["tiny.yaml", "--store", "tiny.yaml"], "'--store'"),
        (["tiny.yaml", "--plugin-file", "nowhere.py"], "nowhere.py: cannot read the plug-in file"),
        (["tiny.yaml", "--disable-plugin", "sorted-diff"], 'tiny.yaml:7:11: unknown attack "sorted-diff"'),
        (["tiny.yaml", "--publish", "--seed", "1"], "--publish writes the results of whole suites only"),
        (["tiny.yaml", "--publish", "--only", "seed=0"], "--publish writes the results of whole suites only"),
        (["tiny.yaml", "--workers", "0"], "'--workers'"),
        (["tiny.yaml", "--workers", "2", "--executor", "serial"], "workers and memory are short for the executor"),
        (["tiny.yaml", "--executor", "processes:wrokers=2"], 'did you mean "workers"?'),
        (["tiny.yaml", "--workers", "2", "--memory", "lots"], 'memory: "lots" is not a size; write a number and MB'),
        (["tiny.yaml", "--memory", "4GB"], "memory limits the number of workers; give workers too"),
        (["tiny.yaml", "--wrong"], "--wrong"),
        ([], "missing argument"),
    ],
)
def test_a_mistake_is_told_in_one_line_and_nothing_is_written(
    say: Say, tmp_path: Path, arguments: list[str], said: str
) -> None:
    before = set(tmp_path.iterdir())
    told = say("run", *arguments)
    assert (told.code, told.out) == (2, "")
    (line,) = told.err.splitlines()
    assert line.startswith("error: ")
    assert said in line
    assert set(tmp_path.iterdir()) == before


def test_sizes_that_do_not_fit_are_told_before_anything_runs(say: Say, change: Change, tmp_path: Path) -> None:
    change(episodes={"records": 10**4})
    told = say("run", "tiny.yaml")
    assert told.code == 2
    assert "records: 10000 is too large" in told.err
    assert not (tmp_path / ".unlearnbench").exists()


def test_a_gpu_that_is_not_there_matters_only_to_models_that_use_one(
    say: Say, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert say("run", "tiny.yaml", *PART, "--device", "cuda").code == 0
    change(models=["mlp"])
    told = say("run", "tiny.yaml", *PART, "--device", "cuda")
    assert told.code == 2
    assert told.err == 'error: device "cuda" is not available on this machine; use "auto" or "cpu"\n'


def test_ctrl_c_exits_with_130_and_the_next_run_goes_on(
    say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[EpisodeParts] = []

    def stop_at_the_third(parts: EpisodeParts, shared: Original | None = None) -> Episode:
        made.append(parts)
        if len(made) == 3:
            raise KeyboardInterrupt
        return observe(parts, shared)

    monkeypatch.setattr("unlearnbench.run.originals.observe", stop_at_the_third)
    assert say("run", "tiny.yaml", *PART).code == 130
    assert say("run", "tiny.yaml", *PART).code == 0
    assert len(made) == 3 + 2, "two of four were done already"
