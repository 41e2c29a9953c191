"""Every number that a document states is one of a published table, and every ordering holds there."""

from __future__ import annotations

import csv
import operator
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from unlearnbench.core.estimates import Estimate
from unlearnbench.hooks.registry import load_registry
from unlearnbench.report.numbers import number
from unlearnbench.reproduction.experiments import EXPERIMENTS, experiment_named
from unlearnbench.reproduction.pages import BEGIN, END, Reproduced, section
from unlearnbench.reproduction.published import read_rows
from unlearnbench.reproduction.summary import Summary
from unlearnbench.run.cells import Plan
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.session import SessionOptions, plan_session
from unlearnbench.run.validity import ValidityTests
from unlearnbench.suite.find import find_suite
from unlearnbench.suite.load import load_suite

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "leaderboards"
PAGE = ROOT / "docs" / "reproduction.md"
STATED: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "claims.yaml").read_text(encoding="utf-8"))
CLAIMS: list[dict[str, Any]] = STATED["claims"]
DOCUMENTS = sorted(STATED["definitions"])
USUAL = {"unlearner": "retrain", "scenario": "single", "defense": "none", "metric": "auc", "seed": "mean"}
RESULT = re.compile(r"(?<![\w.])-?\d*\.\d+x?\b(?!\.\d)|\b\d+ %|(?<![\w.])\d+x\b|\b\d{1,3},\d{3}\b")
"""What looks like a result: a number with a decimal point, a percentage, a factor, a count of thousands."""
RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "~": lambda a, b: round(a, 3) == round(b, 3),  # equal as tables print them
}


def one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def text_of(document: str) -> str:
    """Return a document without code, on one line; of the reproduction, what its run did not write."""
    text = (ROOT / document).read_text(encoding="utf-8")
    text = re.sub(re.escape(BEGIN) + ".*" + re.escape(END), "", text, flags=re.S)
    return one_line(re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))


@cache
def lines_of(table: str) -> list[dict[str, str]]:
    with (TABLES / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def reproduced(name: str) -> Reproduced:
    """Return an experiment judged on its published table; its plan has no models, since no data set is loaded."""
    experiment = experiment_named(name)
    suite, _ = load_suite(find_suite(experiment.suite))
    plan = Plan(suite, suite, (), (), ValidityTests(), suite.device)
    done = Reproduced.of(experiment, plan, read_rows(TABLES / "paper" / f"{name}.csv", suite))
    figure = TABLES / "paper" / f"{name}.svg"
    return Reproduced(experiment, done.plan, done.rows, done.results, figure if figure.exists() else None)


def estimate(spec: Mapping[str, Any]) -> Estimate:
    """Return the number that a spec names."""
    if "plan" in spec:
        instances = PluginInstances(load_registry())
        suite, _ = load_suite(find_suite(spec["plan"]), instances.registry)
        return Estimate(plan_session(suite, instances, SessionOptions()).plan.models)
    if "experiment" in spec:
        (found,) = (each for each in reproduced(spec["experiment"]).results if each.text == spec["expectation"])
        return found.amount
    labels = {name: value for name, value in {**USUAL, **spec}.items() if name not in ("table", "form")}
    lines = lines_of(spec["table"])
    labels = {name: value for name, value in labels.items() if name in lines[0]}  # a board's table has no seeds
    (line,) = (line for line in lines if labels.items() <= line.items())
    value, low, high = (float(line[name]) if line[name] else None for name in ("value", "low", "high"))
    return Estimate(value, low, high, status=line["status"], reason=line["reason"])  # type: ignore[arg-type]  # a status


def estimates(claim: Mapping[str, Any]) -> dict[str, Estimate]:
    shared = {**({"table": claim["table"]} if "table" in claim else {}), **claim.get("row", {})}
    return {name: estimate({**shared, **spec}) for name, spec in claim["numbers"].items()}


def printed(found: Estimate, spec: Mapping[str, Any]) -> str:
    if "plan" in spec:
        return f"{found.value:,.0f}"
    if spec.get("form") == "one digit":
        return f"{found.value:.1f}"
    return number(Estimate(found.value) if spec.get("form") == "value" else found)


def stated(claim: Mapping[str, Any]) -> str:
    """Return the text of a claim with its numbers."""
    found = estimates(claim)
    numbers = {name: printed(found[name], spec) for name, spec in claim["numbers"].items()}
    return re.sub(r"\{([\w-]+)\}", lambda match: numbers[match[1]], claim["says"])


def side(text: str, found: Mapping[str, Estimate]) -> float:
    """Return one side of a relation: a number, or a value or an end of an interval by name."""
    if re.fullmatch(r"[\d.]+", text):
        return float(text)
    name, _, end = text.partition(".")
    return float(getattr(found[name], end or "value"))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim['document']}: {claim['says'][:50]}")
def test_a_document_states_what_its_table_holds(claim: dict[str, Any]) -> None:
    assert one_line(stated(claim)) in text_of(claim["document"])
    found = estimates(claim)
    for relation in claim.get("holds", ()):
        left, sign, right = relation.split()
        assert RELATIONS[sign](side(left, found), side(right, found)), f"{relation}: {found}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_number_of_a_document_is_of_a_table_or_a_definition(document: str) -> None:
    text = text_of(document)
    for definition in STATED["definitions"][document]:
        assert definition in text, definition
        text = text.replace(definition, "")
    for claim in CLAIMS:
        if claim["document"] == document:
            text = text.replace(one_line(stated(claim)), "")
    for line in (TABLES / "quickstart" / "README.md").read_text(encoding="utf-8").splitlines():
        text = text.replace(one_line(line), "") if line.startswith("|") else text
    assert RESULT.findall(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("networks reach .777.", [".777"]),
        ("an AUC of .594 [.572, .615]", [".594", ".572", ".615"]),
        ("-.003 less", ["-.003"]),
        ("an AUC of 1.000", ["1.000"]),
        ("flips 7 % of labels, 10x faster", ["7 %", "10x"]),
        ("1,650 models", ["1,650"]),
        ("epsilon 2.9, 1.5x", ["2.9", "1.5x"]),
        ("page.md, version 0.1.0, 5 originals", []),
    ],
)
def test_a_number_that_looks_like_a_result_is_found(text: str, found: list[str]) -> None:
    assert RESULT.findall(text) == found


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_the_reproduction_shows_the_verdicts_and_numbers_of_the_published_tables(experiment: Any) -> None:
    assert section(reproduced(experiment.name), PAGE.parent) in PAGE.read_text(encoding="utf-8")


def test_the_reproduction_counts_the_verdicts_on_the_published_tables() -> None:
    done = [reproduced(experiment.name) for experiment in EXPERIMENTS]
    counts = Summary.of(pair for each in done for pair in zip(each.experiment.claims, each.results, strict=True))
    assert counts.text() in one_line(PAGE.read_text(encoding="utf-8"))
