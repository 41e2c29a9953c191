"""The conformance kit as a pytest plug-in: every check of every plug-in is a test of its own.

A whole test file, where ``unlearnbench_plugins`` names a distribution, a plug-in or a plug-in file::

    pytest_plugins = ["unlearnbench.testing.pytest_plugin"]
    unlearnbench_plugins = "my-attack"
    def test_conformance(conformance_check): conformance_check()
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.testing.kit import runs_of
from unlearnbench.testing.subjects import subjects

FIXTURE = "conformance_check"
NAMES = "unlearnbench_plugins"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give one test for each check to a function that takes ``conformance_check``."""
    if FIXTURE not in metafunc.fixturenames:
        return
    target = getattr(metafunc.module, NAMES, None)
    if not isinstance(target, str):
        pytest.fail(f'say whose plug-ins are checked, such as {NAMES} = "my-package"', pytrace=False)
    try:
        registry, found = subjects(target)
    except UserError as error:
        pytest.fail(f"{NAMES} = {target!r}: {error}; is it installed?", pytrace=False)
    runs = {
        f"{plugin.kind}:{plugin.name}-{name}": run
        for plugin in found
        for name, run in runs_of(plugin, registry).items()
    }
    metafunc.parametrize(FIXTURE, runs.values(), ids=runs.keys(), indirect=True)


@pytest.fixture
def conformance_check(request: pytest.FixtureRequest) -> Callable[[], None]:
    """Return a function that fails the test with what one check finds."""

    def assert_nothing_is_found() -> None:
        if findings := request.param():
            pytest.fail("\n".join(map(str, findings)), pytrace=False)

    return assert_nothing_is_found
