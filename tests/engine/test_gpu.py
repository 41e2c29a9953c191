"""The program of `make gpu`, dry on a CPU. What it shows, only a GPU can show."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from gpu import __main__ as program
from gpu import resnet
from gpu.comparing import Row, Way, compare
from gpu.parts import Case, Outcome, Part, measured
from gpu.setting import SIZES, Setting

NEVER = float("inf")
TINY = Setting("cpu", SIZES["tiny"], real_photos=False)
ROW = Row(first_s=2.0, second_s=3.0, difference=0.25, equal=0.5, repeats=True)


def outcome_of(part: Part, end: float = NEVER) -> Outcome:
    *_, last = measured(part, TINY, end)
    return last


def fails() -> Row:
    raise RuntimeError("out of\nmemory")


def part_of(**cases: Case) -> Part:
    return Part("fake", "Of nothing.", ("{device}", "other"), lambda _: cases)


@pytest.mark.parametrize("name", ["training", "queries"])
def test_a_cpu_agrees_with_itself_to_the_bit(name: str) -> None:
    outcome = outcome_of(program.PARTS[name])
    assert not outcome.failed
    assert {"mlp 64-32", "mlp 64-32, dropout", "simple-cnn", "TorchModel"} <= {
        case.removesuffix(", fit") for case in outcome.rows
    }
    assert {(row.difference, row.equal, row.repeats) for row in outcome.rows.values()} == {(0.0, 1.0, True)}


def test_a_network_of_a_stack_is_that_of_a_loop_up_to_rounding_and_alone_the_same() -> None:
    outcome = outcome_of(program.PARTS["stacks"])
    assert not outcome.failed
    for name, row in outcome.rows.items():
        assert row.repeats
        assert row.difference <= (0 if "alone" in name else 1e-6)


def test_unlearners_in_stacks_agree_with_those_one_by_one() -> None:
    outcome = outcome_of(program.PARTS["unlearners"])
    assert not outcome.failed
    assert list(outcome.rows) == ["finetune", "neggrad-plus", "scrub", "ssd", "salun", "influence"]
    assert all(row.repeats and row.difference < 1e-5 for row in outcome.rows.values())


@pytest.fixture
def vision(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torchvision")
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "plugins" / "unlearnbench-vision" / "src")


@pytest.mark.slow
@pytest.mark.usefixtures("vision")
def test_resnet18_agrees_with_itself() -> None:
    outcome = outcome_of(program.PARTS["resnet18"])
    assert (outcome.failed, len(outcome.rows)) == ({}, 7)
    assert {row.difference for row in outcome.rows.values()} == {0.0}
    assert "made-up images" in outcome.note


@pytest.mark.slow
@pytest.mark.usefixtures("vision")
def test_a_request_to_resnet18_is_compared_with_retraining() -> None:
    outcome = outcome_of(program.PARTS["resnet18-requests"])
    assert (outcome.failed, len(outcome.rows)) == ({}, 17)
    assert all(row.repeats and row.difference > 0 for row in outcome.rows.values())


def test_without_torchvision_resnet18_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    outcome = outcome_of(program.PARTS["resnet18"])
    assert "needs torchvision" in outcome.skipped
    assert not outcome.failed


def test_images_are_made_up_where_cifar_is_not_at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNLEARNBENCH_DATA", str(tmp_path))
    setting = Setting("cpu", SIZES["tiny"], real_photos=True)
    assert resnet.photos(setting).provenance.source == "made up"
    assert "made-up images" in resnet.source(setting)


def test_differences_are_of_posteriors_and_networks_of_one_way_only_are_not_compared() -> None:
    one, other = (
        np.log([[[0.75, 0.25], [0.75, 0.25]]]),
        np.log([[[0.5, 0.5], [0.25, 0.75]], [[1.0, 1e-9], [1.0, 1e-9]]]),
    )
    row = compare(Way(lambda: one, 1), Way(lambda: other, 2), lambda made: made)
    assert (round(row.difference, 6), row.equal, row.repeats) == (0.5, 0.5, True)


def test_a_way_that_does_not_repeat_is_told() -> None:
    answers = iter(np.log([[[[0.5, 0.5]]], [[[0.4, 0.6]]]]))
    assert not compare(Way(lambda: next(answers), 1), Way(lambda: np.zeros((1, 1, 2)), 1), lambda made: made).repeats


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Part:
    part = part_of(bad=fails, good=lambda: ROW)
    monkeypatch.setattr(program, "PARTS", {"fake": part})
    return part


def run(out: Path, *options: str) -> int:
    return program.main(["--device", "cpu", "--size", "tiny", "--out", str(out), *options])


@pytest.mark.usefixtures("fake")
def test_a_case_that_fails_is_told_with_its_reason_and_the_others_go_on(tmp_path: Path) -> None:
    assert run(tmp_path) == 1
    page = (tmp_path / "gpu.md").read_text()
    assert "Cases: 1 measured, 1 failed" in page
    assert "Failed: bad: `RuntimeError: out of memory`" in page
    assert "| good | 2 | 3 | 1.50x | 2.5e-01 | 50.0% | yes |" in page


def test_a_part_that_fails_costs_itself_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = Part("broken", "Of nothing.", ("one", "other"), lambda _: {"x": fails} if fails() else {})
    monkeypatch.setattr(program, "PARTS", {"broken": broken, "fake": part_of(good=lambda: ROW)})
    assert run(tmp_path) == 1
    assert "Cases: 1 measured, 1 failed" in (tmp_path / "gpu.md").read_text()


@pytest.mark.usefixtures("fake")
def test_what_no_time_was_left_for_is_named(tmp_path: Path) -> None:
    assert run(tmp_path, "--minutes", "1e-12") == 0
    assert "Left out, no time: bad; good." in (tmp_path / "gpu.md").read_text()


@pytest.mark.usefixtures("fake")
def test_a_device_that_is_missing_is_one_line_and_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert program.main(["--out", str(tmp_path / "new")]) == 2
    assert capsys.readouterr().err == 'device "cuda" is not available on this machine; use "auto" or "cpu"\n'
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("fake")
def test_a_folder_that_is_a_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert run(tmp_path / "file") == 2
    assert "--out: cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("minutes", ["0", "-1", "nan", "inf", "soon"])
def test_minutes_are_a_positive_number(minutes: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(tmp_path / "new", "--minutes", minutes)
    assert not (tmp_path / "new").exists()
