"""The conformance kit as a pytest plug-in: each check of each plug-in is a test.

A complete test file, in which ``unlearnbench_plugins`` names a distribution, a plug-in or a plug-in file::

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
    """Parametrize a test function that takes ``conformance_check`` by all checks."""
    if FIXTURE not in metafunc.fixturenames:
        return
    target = getattr(metafunc.module, NAMES, None)
    if not isinstance(target, str):
        pytest.fail(f'name the plug-ins to check, such as {NAMES} = "my-package"', pytrace=False)
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
    """Return a function that fails the test with the findings of one check."""

    def assert_no_finding() -> None:
        if findings := request.param():
            pytest.fail("\n".join(map(str, findings)), pytrace=False)

    return assert_no_finding
