"""The plug-ins of a submission that are not built in keep their contracts, or are findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from unlearnbench.submissions.conformance import conformance
from unlearnbench.suite.load import load_suite

CODE = '''
import numpy as np

from unlearnbench import AttackPlugin, Needs, ScoreAttack, hookimpl


class Good(ScoreAttack):
    """Score the first log-posterior.

    ``sign``: its sign
    """

    needs = Needs(versions="original")

    def __init__(self, sign: int = 1) -> None:
        self.sign = sign

    def score(self, view):
        return self.sign * view.before[:, 0]


class Relative(Good):
    """Score it relative to the mean of the view.

    ``sign``: its sign
    """

    def score(self, view):
        scores = super().score(view)
        return scores - scores.mean() if len(view) and self.sign < 0 else scores


@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="good", summary="Good.", factory=Good, versions="original")
    yield AttackPlugin(name="relative", summary="Relative.", factory=Relative, versions="original")
'''
SUITE = """
suite: mine
version: 1
seeds: [0]
datasets: [breast-cancer]
models: [decision-tree]
unlearners: [retrain]
attacks: [{attacks}]
plugins: [mine.py]
episodes: {{originals: 2, requests: 2, records: 60, negatives: 5}}
"""


@pytest.fixture
def suite(tmp_path: Path) -> Any:
    (tmp_path / "mine.py").write_text(CODE, encoding="utf-8")

    def load(attacks: str) -> Any:
        path = tmp_path / "mine.yaml"
        path.write_text(SUITE.format(attacks=attacks), encoding="utf-8")
        return load_suite(path, run_plugin_files=True)

    return load


def test_plugins_that_keep_their_contract_are_no_findings(suite: Any) -> None:
    assert conformance(*suite("good, euclidean, relative")) == []


def test_a_plugin_is_checked_with_the_parameters_of_the_suite(suite: Any) -> None:
    found = conformance(*suite("good, {name: relative, params: {sign: -1}}"))
    assert {finding.where for finding in found} == {"attack relative(sign=-1), scores-each-row-independently"}
    assert "depends on the other rows" in found[0].what
    assert "\n" not in str(found[0])
