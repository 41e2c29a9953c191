"""What an experiment is: a suite, what it is expected to show, and how it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unlearnbench.reproduction.claims import Claim, RowName, row

TREE, GROWN = "decision-tree", "decision-tree(max_leaf_nodes=null)"
LINEAR, NETWORK = "logistic-regression", "mlp(hidden=[64,32])"
DIFF, EUCLIDEAN, CLASSICAL = "sorted-diff", "euclidean", "classical"


@dataclass(frozen=True)
class ParameterCurve:
    """How AUC is drawn against a parameter."""

    parameter: str
    """The label of the x axis."""
    points: Mapping[float, Mapping[str, str]]
    """The values of the parameter, and the labels of the rows with each value."""
    series: Mapping[str, Mapping[str, str]]
    """The lines by name, and the labels of the rows of each line."""


@dataclass(frozen=True)
class Experiment:
    """One experiment of the reproduction."""

    name: str
    number: str
    """Its number in docs/reproduction.md, in the order of the paper."""
    question: str
    claims: tuple[Claim, ...]
    curve: ParameterCurve | None = None
    """How AUC is drawn against a parameter, if it is."""
    frontier: bool = False
    """Whether leak against utility is drawn."""

    @property
    def suite(self) -> str:
        """The name of the standard suite that runs it."""
        return f"paper/{self.name}"


def attack_lines(**labels: str) -> dict[str, Mapping[str, str]]:
    """Return the lines of a plot that compares two attacks with the classical one."""
    return {attack: {"attack": attack, **labels} for attack in (DIFF, EUCLIDEAN, CLASSICAL)}


def points_along(axis: str, labels: Mapping[float, str]) -> dict[float, Mapping[str, str]]:
    """Return the points of a curve along the labels of one axis."""
    return {value: {axis: label} for value, label in labels.items()}


def rows_along(axis: str, labels: Mapping[float, str], metric: str = "auc", **fixed: str) -> tuple[RowName, ...]:
    """Return the names of the rows along the labels of one axis."""
    return tuple(row(metric, **fixed, **{axis: label}) for label in labels.values())
