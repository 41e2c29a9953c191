from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.records import RECORDS
from unlearnbench.hooks.registry import Registry

# Our own plug-ins


def test_our_own_plugins_are_all_usable_and_say_where_they_come_from(registry: Registry) -> None:
    assert not registry.broken
    assert {plugin.source.name for plugin in registry.all()} == {"unlearnbench"}
    assert {plugin.kind for plugin in registry.all()} == set(RECORDS)


def test_plugins_are_listed_by_kind_then_by_name(registry: Registry) -> None:
    order = list(RECORDS)
    keys = [(order.index(plugin.kind), plugin.name) for plugin in registry.all()]
    assert keys == sorted(keys)
    assert [plugin.name for plugin in registry.all("executor")] == ["dask", "processes", "serial"]


def test_a_registry_cannot_be_changed(registry: Registry) -> None:
    with pytest.raises(FrozenInstanceError):
        registry.plugins = ()  # type: ignore[misc]  # that it is refused is the test


def test_an_unknown_name_gets_the_closest_one(registry: Registry) -> None:
    with pytest.raises(UserError, match=r'^unknown attack "sorted-dif"; did you mean "sorted-diff"\?$'):
        registry.get("attack", "sorted-dif")


def test_an_unknown_name_with_nothing_close_gets_all_that_are_known(registry: Registry) -> None:
    with pytest.raises(UserError, match=r'^unknown executor "zzz"; known: dask, processes, serial$'):
        registry.get("executor", "zzz")


def test_kinds_may_share_a_name(registry: Registry) -> None:
    assert {plugin.kind for plugin in registry.named("none")} == {"unlearner", "defense"}
    with pytest.raises(UserError, match=r'^unknown plug-in "non"; did you mean "none"\?$'):
        registry.named("non")
