"""Limits of a suite: read and checked as any key, and part of no identity."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.suite.texts import MINIMAL
from unlearnbench.core.errors import UserError
from unlearnbench.core.limits import Limits
from unlearnbench.suite.model import Suite

Load = Callable[[str], Suite]


def test_a_suite_without_limits_has_none(load: Load) -> None:
    assert load(MINIMAL).limits == Limits()


@pytest.mark.parametrize(
    ("keys", "limits"),
    [
        ("timeout: 600", Limits(timeout=600.0)),
        ("timeout: 0.5", Limits(timeout=0.5)),
        ("memory: 4GB", Limits(memory=4 * 10**9)),
        ("timeout: 60\nmemory: 1.5 GiB", Limits(60.0, 3 * 2**29)),
    ],
)
def test_limits_are_seconds_and_a_size(load: Load, keys: str, limits: Limits) -> None:
    assert load(MINIMAL + keys).limits == limits


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("timeout: 0", "mine.yaml:7:10: must be a number of seconds above 0, got 0.0"),
        ("timeout: -3", "mine.yaml:7:10: must be a number of seconds above 0, got -3.0"),
        ("timeout: .inf", "mine.yaml:7:10: "),
        ("timeout: 1e400", "mine.yaml:7:10: "),
        ("timeout: true", "mine.yaml:7:10: must be a number, got true"),
        ("timeout: soon", 'mine.yaml:7:10: must be a number, got "soon"'),
        ("memory: 4", "mine.yaml:7:9: must be text, got 4"),
        ("memory: lots", 'mine.yaml:7:9: "lots" is not a size; write a number and MB, GB'),
        ("memory: 0GB", 'mine.yaml:7:9: "0GB" is not a size'),
    ],
)
def test_a_limit_that_is_none_is_refused_where_it_stands(load: Load, key: str, said: str) -> None:
    with pytest.raises(UserError) as told:
        load(MINIMAL + key)
    assert said in str(told.value)
    assert len(str(told.value)) < 400


def test_limits_are_part_of_no_identity(load: Load) -> None:
    limited, plain = load(MINIMAL + "timeout: 60\nmemory: 4GB"), load(MINIMAL)
    assert limited == plain
    assert limited.sha256 == plain.sha256
    assert limited.to_dict() == plain.to_dict()
    assert limited.limits.to_dict() == {"timeout": 60.0, "memory": "4000.0MB"}


def test_what_is_given_for_one_run_replaces_one_limit_each() -> None:
    limits = Limits(60.0, 10**9)
    assert limits.replaced_by() == limits
    assert limits.replaced_by(timeout=5.0) == Limits(5.0, 10**9)
    assert limits.replaced_by(memory="2GB") == Limits(60.0, 2 * 10**9)
