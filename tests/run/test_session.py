"""A session loads its suite, its plug-ins and its data sets once, whatever is done with it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from unlearnbench.builtin.datasets.adult import Adult
from unlearnbench.cli import main
from unlearnbench.core import records
from unlearnbench.core.errors import UserError
from unlearnbench.run.session import SessionOptions, open_session
from unlearnbench.suite import load


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the data sets loaded, the searches for duplicates in them, and the suite files read."""
    calls: Counter[str] = Counter()

    def count(owner: object, name: str, what: str) -> None:
        real = getattr(owner, name)

        def counting(*arguments: object) -> object:
            calls[what] += 1
            return real(*arguments)

        monkeypatch.setattr(owner, name, counting)

    count(Adult, "load", "data sets loaded")
    count(records, "row_keys", "searches for duplicates")
    count(load, "_read", "suites read")
    return calls


def test_a_run_loads_its_data_set_and_its_suite_once(counted: Counter[str], tmp_path: Path) -> None:
    part = ("--only", "unlearner=retrain", "--only", "model=decision-tree")
    assert main(["run", "quickstart", "--profile", "smoke", *part, "--store", str(tmp_path)]) == 0
    assert counted == {"data sets loaded": 1, "searches for duplicates": 1, "suites read": 1}


def test_experiments_on_one_data_set_load_it_once_and_each_suite_once(counted: Counter[str], tmp_path: Path) -> None:
    assert main(["reproduce", "label-only", "temperature", "--profile", "smoke", "--store", str(tmp_path)]) == 0
    assert counted == {"data sets loaded": 1, "searches for duplicates": 1, "suites read": 2}


def test_an_option_that_is_no_choice_is_refused_before_the_suite_is_looked_for() -> None:
    with pytest.raises(UserError, match="--only attack: must be"):
        open_session("no-such-suite", SessionOptions(only=["attack"]))


def test_options_change_seed_profile_and_store(tmp_path: Path) -> None:
    session = open_session("quickstart", SessionOptions(tmp_path / "s", seed=7, profile="smoke"))
    assert session.plan.suite.seeds == (7,)
    assert {ref.episodes.originals for ref in session.plan.suite.datasets} == {2}
    assert session.store.root == tmp_path / "s"
    assert session.registry is session.instances.registry
