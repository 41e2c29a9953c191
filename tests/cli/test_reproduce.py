"""``unlearnbench reproduce``: runs, judges, and writes what it found between the marks of a page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unlearnbench.builtin.datasets.files import VARIABLE
from unlearnbench.cli import main
from unlearnbench.reproduction.experiments import EXPERIMENTS
from unlearnbench.reproduction.pages import BEGIN, END

SMOKE = ("reproduce", "label-only", "--profile", "smoke", "--store")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store in which a smoke test of one experiment was run."""
    folder = str(tmp_path_factory.mktemp("reproduce"))
    assert main([*SMOKE, folder]) == 0
    return folder


def test_each_expectation_is_a_line_and_one_seed_cannot_tell(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMOKE, store, "--check"]) == 0
    head, *findings = capsys.readouterr().out.splitlines()
    assert head == "E12 label-only: Does releasing only the label help?"
    assert len(findings) == 4
    assert all(line.startswith("  cannot tell: ") for line in findings)


def test_findings_as_json(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMOKE, store, "--check", "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)["label-only"]
    assert {finding["verdict"] for finding in findings} == {"cannot tell"}
    assert all(finding["amount"]["value"] is not None for finding in findings)


def test_an_executor_is_chosen_as_for_a_run(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMOKE, store, "--executor", "serial"]) == 0
    assert main([*SMOKE, store, "--executor", "procesess:workers=2"]) == 2
    assert capsys.readouterr().err == 'error: unknown executor "procesess"; did you mean "processes"?\n'


def test_check_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMOKE, str(tmp_path), "--check"]) == 2
    assert "missing, not run yet; run: unlearnbench reproduce label-only" in capsys.readouterr().err


def test_the_page_and_the_tables_are_written_and_what_stands_around_the_marks_stays(store: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Ours\n\nRead this first.\n\n{BEGIN}\nwhat was found before\n{END}\n\nThe end.\n")
    assert main([*SMOKE, store, "--check", "--page", str(page), "--tables", str(tmp_path / "tables")]) == 0
    text = page.read_text()
    assert text.startswith("# Ours\n\nRead this first.\n")
    assert text.endswith("The end.\n")
    assert "what was found before" not in text
    assert "## E12 label-only" in text
    header, *lines = (tmp_path / "tables" / "label-only.csv").read_text().splitlines()
    assert header.startswith("dataset,model,unlearner,scenario,defense,attack,seed,")
    assert {line.split(",")[4] for line in lines} == {"none", "label-only"}


def test_published_tables_are_judged_as_the_store_is_and_need_no_store(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = str(tmp_path / "tables")
    assert main([*SMOKE, store, "--check", "--tables", tables]) == 0
    judged = capsys.readouterr().out
    assert main([*SMOKE, str(tmp_path / "empty"), "--published", tables]) == 0
    assert capsys.readouterr().out == judged


def test_a_table_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMOKE, str(tmp_path), "--published", str(tmp_path)]) == 2
    assert "label-only.csv: no such table; unlearnbench reproduce --tables DIR writes one" in capsys.readouterr().err


def test_a_page_without_the_marks_is_left_as_it_is(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("Somebody's work.\n")
    assert main([*SMOKE, store, "--check", "--page", str(page)]) == 2
    assert "to write between" in capsys.readouterr().err
    assert page.read_text() == "Somebody's work.\n"


def test_experiments_without_data_are_left_out_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    main(["reproduce", "--check", "--store", str(tmp_path)])
    assert "left out: transfer-data (no foursquare-nyc" in capsys.readouterr().err


@pytest.mark.slow
def test_every_experiment_whose_data_are_here_runs_as_a_smoke_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reproduce", "--profile", "smoke", "--store", str(tmp_path / "store"), "--json"]) == 0
    out = capsys.readouterr()
    findings = json.loads(out.out)
    assert len(findings) + out.err.count("left out: ") == len(EXPERIMENTS)
    assert {finding["verdict"] for found in findings.values() for finding in found} == {"cannot tell"}


def test_an_unknown_experiment_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "gruop", "--store", str(tmp_path)]) == 2
    assert capsys.readouterr().err == 'error: unknown experiment "gruop"; did you mean "group"?\n'
