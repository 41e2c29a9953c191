"""The suite of a submission is found, and plug-in files of a suite are executed only where a reviewer says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.submissions.check import check_submission

if TYPE_CHECKING:
    from tests.submissions.conftest import Copy


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """Name a file that plug-in files write when they are executed."""
    return tmp_path / "executed"


def suite_with_plugin(copy: Copy, folder: Path, marker: Path, plugin: str = "evil.py") -> Path:
    """Write the suite of the submission again, with a plug-in file."""
    (folder / plugin).write_text(f"open({str(marker)!r}, 'w').close()")
    suite = folder / copy.suite.name
    suite.write_text(f"{copy.suite.read_text()}plugins: [{plugin}]\n")
    return suite


def test_plugin_files_of_a_suite_are_not_executed_unless_one_says_so(copy: Copy, tmp_path: Path, marker: Path) -> None:
    suite = suite_with_plugin(copy, tmp_path, marker)
    copy.forge(lambda data: data["suite"].update(plugins=["evil.py"]))
    with pytest.raises(
        UserError, match=r"which a check would execute: evil\.py; read them, then add --run-plugin-files"
    ):
        check_submission(copy.folder, suite)
    assert not marker.exists()
    with pytest.raises(UserError, match="implements no hook"):
        check_submission(copy.folder, suite, run_plugin_files=True)
    assert marker.exists()


def test_a_suite_that_is_another_one_is_refused_before_anything_of_it_is_executed(
    copy: Copy, tmp_path: Path, marker: Path
) -> None:
    suite = suite_with_plugin(copy, tmp_path, marker)
    (finding,) = check_submission(copy.folder, suite, run_plugin_files=True).findings
    assert "its suite 'small' is not 'small' of small.yaml, or names other plug-in files" in str(finding)
    assert not marker.exists()


def test_no_file_of_a_submission_is_executed(copy: Copy, marker: Path) -> None:
    suite = suite_with_plugin(copy, copy.folder, marker)
    report = check_submission(copy.folder, suite, [copy.folder / "evil.py"], run_plugin_files=True)
    assert [finding.where for finding in report.findings] == ["evil.py", "small.yaml"]
    assert not marker.exists()


def test_what_a_submission_says_of_plugin_files_is_not_done(copy: Copy, marker: Path) -> None:
    (copy.folder.parent / "evil.py").write_text(f"open({str(marker)!r}, 'w').close()")
    found = copy.forge(lambda data: data["suite"].update(plugins=["evil.py"]))
    assert any("or names other plug-in files; name the file of its suite" in line for line in found)
    assert not marker.exists()
