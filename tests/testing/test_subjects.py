"""The plug-ins that a name, a file or a distribution refers to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from unlearnbench import UserError
from unlearnbench.testing import subjects

Code = Callable[..., str]
Install = Callable[..., None]
WriteFile = Callable[..., Path]


def named(target: str) -> list[str]:
    return [str(plugin) for plugin in subjects(target)[1]]


def test_a_plugin_is_meant_by_its_name() -> None:
    assert named("sisa") == ['unlearner "sisa"']


def test_a_name_that_kinds_share_means_all_of_them_or_one() -> None:
    assert named("none") == ['unlearner "none"', 'defense "none"']
    assert named("defense:none") == ['defense "none"']


def test_a_file_means_all_that_it_offers(plugin_file: WriteFile, attack_code: Code) -> None:
    assert named(str(plugin_file(attack_code("one", "two")))) == ['attack "one"', 'attack "two"']


def test_a_distribution_means_all_that_it_offers(install: Install, attack_code: Code) -> None:
    install("my-dist", attack_code("one", "two"))
    assert named("my-dist") == ['attack "one"', 'attack "two"']


def test_a_file_without_plugins_is_a_mistake(plugin_file: WriteFile) -> None:
    observer = plugin_file("""
        from unlearnbench import hookimpl

        @hookimpl
        def unlearnbench_after_run(results):
            pass
    """)
    with pytest.raises(UserError, match="offers no plug-in to check"):
        subjects(str(observer))


def test_a_broken_distribution_is_reported(install: Install) -> None:
    install("bad-dist", "import no_such_module")
    with pytest.raises(UserError, match=r"cannot be used: distribution bad-dist 1\.0: ModuleNotFoundError"):
        subjects("bad-dist")


def test_a_name_of_nothing_is_a_mistake() -> None:
    with pytest.raises(UserError, match='did you mean "sisa"'):
        subjects("sissa")
