"""A registry of stand-ins, so that these tests know every name and parameter there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Annotated, Literal

import pytest
from pydantic import Field, PositiveInt

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.records import RECORDS, Kind
from unlearnbench.hooks.registry import Registered, Registry, Source
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import Suite


@dataclass(frozen=True)
class Plain:
    """Takes no parameters."""


@dataclass(frozen=True)
class Tree:
    """Takes some of every type."""

    max_leaf_nodes: PositiveInt = 10
    criterion: Literal["gini", "entropy"] = "gini"
    rate: Annotated[float, Field(gt=0, le=1)] = 0.5
    exact: bool = False
    layers: tuple[int, ...] = (64, 32)
    note: str = ""


@dataclass(frozen=True)
class Group:
    """Cannot do without a parameter."""

    size: PositiveInt


PLUGINS: dict[Kind, dict[str, type]] = {
    "dataset": {"adult": Plain, "digits": Plain},
    "model": {"decision-tree": Tree, "logistic-regression": Plain},
    "unlearner": {"retrain": Plain, "none": Plain},
    "scenario": {"single": Plain, "group": Group},
    "defense": {"none": Plain, "label-only": Plain},
    "attack": {"classical": Plain, "sorted-diff": Tree},
    "metric": dict.fromkeys(
        (
            "auc",
            "tpr-at-fpr",
            "advantage",
            "precision-at-prior",
            "deg-count",
            "deg-rate",
            "identical-posteriors",
            "utility",
        ),
        Plain,
    ),
}


def registered(kind: Kind, name: str, cls: type) -> Registered:
    plugin = RECORDS[kind](name=name, summary=f"Stands in for {name}.", factory=cls)
    return Registered(plugin, Source("file", "stand_ins.py"))


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry(tuple(registered(kind, name, cls) for kind, of in PLUGINS.items() for name, cls in of.items()))


@pytest.fixture
def load(tmp_path: Path, registry: Registry) -> Callable[[str], Suite]:
    """Load a suite given as text, as the file mine.yaml."""

    def load(text: str) -> Suite:
        path = tmp_path / "mine.yaml"
        path.write_text(dedent(text), encoding="utf-8")
        return load_suite(path, registry)[0]

    return load


@pytest.fixture
def error(tmp_path: Path, load: Callable[[str], Suite]) -> Callable[[str], str]:
    """Return the one line that a bad suite gets, from its line on."""

    def error(text: str) -> str:
        with pytest.raises(UserError) as caught:
            load(text)
        message = str(caught.value)
        assert len(message.splitlines()) == 1
        return message.removeprefix(f"{tmp_path}/mine.yaml:")

    return error
