"""Profiles: a suite in full, or so small that it only shows that it works."""

from __future__ import annotations

from collections.abc import Callable

from unlearnbench.core.pools import EpisodeSizes
from unlearnbench.core.references import ReferenceSizes
from unlearnbench.suite.model import Suite
from unlearnbench.suite.profiles import SMOKE, in_profile

SUITE = """\
suite: mine
version: 1
seeds: [3, 4]
datasets: [{name: adult, adversary: {originals: 1}}]
models: [decision-tree]
unlearners: [retrain]
attacks: [sorted-diff]
"""


def test_full_is_the_suite_as_it_stands(load: Callable[[str], Suite]) -> None:
    suite = load(SUITE)
    assert in_profile(suite, "full") is suite


def test_smoke_has_one_seed_and_small_episodes_and_enlarges_none(load: Callable[[str], Suite]) -> None:
    small = in_profile(load(SUITE), "smoke")
    assert small.seeds == (3,)
    assert small.datasets[0].episodes == SMOKE
    assert small.datasets[0].adversary == EpisodeSizes(1, 2, 300, 20, 1, 4)
    assert small.models == load(SUITE).models


def test_smoke_has_short_searches_and_all_else_that_attacks_need(load: Callable[[str], Suite]) -> None:
    asked = SUITE + "adversary: {copies: 8, references: 4, boundary: 1000}\n"
    assert in_profile(load(asked), "smoke").datasets[0].references == ReferenceSizes(4, copies=8, boundary=100)
    fewer = in_profile(load(asked.replace("1000", "20")), "smoke")
    assert fewer.datasets[0].references.boundary == 20
