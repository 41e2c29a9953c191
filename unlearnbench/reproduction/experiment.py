"""What an experiment is: a suite, what it is expected to show, and how it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unlearnbench.reproduction.claims import Claim, Of, of

TREE, GROWN = "decision-tree", "decision-tree(max_leaf_nodes=null)"
LINEAR, NETWORK = "logistic-regression", "mlp(hidden=[64,32])"
DIFF, EUCLIDEAN, CLASSICAL = "sorted-diff", "euclidean", "classical"


@dataclass(frozen=True)
class Curve:
    """AUC along a parameter: ``points`` are its values and the labels that go with each, ``series`` the lines."""

    parameter: str
    points: Mapping[float, Mapping[str, str]]
    series: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Experiment:
    """One experiment. ``number`` is its place in the paper's order; ``suite`` the standard suite that runs it.

    ``curve`` says how it is drawn, if along a parameter; ``frontier`` that it is leak against utility.
    """

    name: str
    number: str
    question: str
    claims: tuple[Claim, ...]
    curve: Curve | None = None
    frontier: bool = False

    @property
    def suite(self) -> str:
        """The name of its suite."""
        return f"paper/{self.name}"


def attacks(**labels: str) -> dict[str, Mapping[str, str]]:
    """Return the lines of a plot that compares the attack with the classical one."""
    return {attack: {"attack": attack, **labels} for attack in (DIFF, EUCLIDEAN, CLASSICAL)}


def along(axis: str, labels: Mapping[float, str]) -> dict[float, Mapping[str, str]]:
    """Return the points of a curve along the labels of one axis."""
    return {value: {axis: label} for value, label in labels.items()}


def each(axis: str, labels: Mapping[float, str], metric: str = "auc", **fixed: str) -> tuple[Of, ...]:
    """Return the rows along the labels of one axis."""
    return tuple(of(metric, **fixed, **{axis: label}) for label in labels.values())
