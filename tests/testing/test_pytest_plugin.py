"""A package's test file is three lines: every check is a test of its own."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

PLUGIN = """
from unlearnbench import AttackPlugin, ScoreAttack, hookimpl

class Largest(ScoreAttack):
    '''The largest posterior of the original.'''

    def score(self, view):
        return view.before.max(axis=1) + SHIFT

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="largest", summary="Largest", factory=Largest)
"""
TESTS = """
pytest_plugins = ["unlearnbench.testing.pytest_plugin"]
unlearnbench_plugins = "largest.py"
def test_conformance(conformance_check): conformance_check()
"""


def run(pytester: pytest.Pytester, shift: str, tests: str = TESTS) -> pytest.RunResult:
    pytester.makepyfile(largest=PLUGIN.replace("SHIFT", shift), test_largest=tests)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist")


def test_a_correct_plugin_passes_a_test_for_each_check(pytester: pytest.Pytester) -> None:
    run(pytester, "0.0").assert_outcomes(passed=14)


def test_a_broken_one_fails_with_the_finding_and_no_traceback(pytester: pytest.Pytester) -> None:
    result = run(pytester, "len(view)")
    result.assert_outcomes(passed=13, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*test_conformance*attack:largest-scores-each-row-independently*",
            "scores-each-row-independently: a row's score depends on*",
            "*hint: *",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize("named", ["", "unlearnbench_plugins = 3"])
def test_a_file_that_names_no_plugins_is_an_error(pytester: pytest.Pytester, named: str) -> None:
    result = run(pytester, "0.0", TESTS.replace('unlearnbench_plugins = "largest.py"', named))
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*name the plug-ins to check, such as unlearnbench_plugins = *"])


def test_a_package_that_is_not_installed_is_reported_in_one_line(pytester: pytest.Pytester) -> None:
    result = run(pytester, "0.0", TESTS.replace("largest.py", "not-there"))
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*'not-there': unknown plug-in \"not-there\"; is it installed?"])
    result.stdout.no_fnmatch_line("*registry.py*")


def test_the_documented_file_is_that_of_the_module() -> None:
    from unlearnbench.testing import pytest_plugin

    shown = [line.strip() for line in (pytest_plugin.__doc__ or "").splitlines()]
    assert [line for line in TESTS.strip().splitlines() if "largest.py" not in line and line not in shown] == []
