from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from unlearnbench.hooks import specs
from unlearnbench.hooks.observers import HOOKS
from unlearnbench.hooks.records import RECORDS, Kind
from unlearnbench.hooks.registry import load_registry

WriteFile = Callable[..., Path]


def example(hook: str) -> str:
    docstring = inspect.getdoc(getattr(specs, hook))
    assert docstring
    return dedent(docstring.split("Example::\n")[1])


def test_there_is_a_hook_for_every_kind_and_for_every_observer() -> None:
    declared = {name for name in vars(specs) if name.startswith("unlearnbench_")}
    assert declared == {f"unlearnbench_{kind}s" for kind in RECORDS} | {f"unlearnbench_{hook}" for hook in HOOKS}


@pytest.mark.parametrize("kind", RECORDS)
def test_the_example_of_a_collecting_hook_is_a_working_plugin_file(kind: Kind, plugin_file: WriteFile) -> None:
    path = plugin_file(example(f"unlearnbench_{kind}s"))
    added = [plugin for plugin in load_registry([path], discover=False).all() if plugin.source.kind == "file"]
    assert [plugin.kind for plugin in added] == [kind]


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_of_an_observer_is_a_working_plugin_file(hook: str, plugin_file: WriteFile) -> None:
    path = plugin_file(example(f"unlearnbench_{hook}"))
    assert [seen.hook for seen in load_registry([path], discover=False).observers.observers] == [hook]
