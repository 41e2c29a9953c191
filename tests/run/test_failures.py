from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Failure
from unlearnbench.run.failures import FailedElsewhereError, MissingError, guarded
from unlearnbench.run.store import Store

if TYPE_CHECKING:
    from tests.run.conftest import Lab


def raising(error: BaseException) -> object:
    def work() -> object:
        raise error

    return guarded(work)


def test_what_work_returns_is_handed_through() -> None:
    assert guarded(lambda: 3) == 3


class OfItsOwn(BaseException):
    """No Exception, as pytest's and asyncio's are none."""


class UntoldError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text today")


class UntoldTooError(Exception):
    def __str__(self) -> str:
        raise OfItsOwn


class WordlessError(Exception):
    def __str__(self) -> str:
        return None  # type: ignore[return-value]  # that is the point


class Cunning(str):
    def split(self, *_: object) -> list[str]:
        raise RuntimeError("not to be split")


class CunningTextError(Exception):
    def __str__(self) -> str:
        return Cunning("text")


def grouped(depth: int) -> Exception:
    error: Exception = ValueError("the innermost")
    for _ in range(depth):
        error = ExceptionGroup("deep", [error])
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("first\nsecond"), "ValueError: first second"),
        (KeyError("x"), "KeyError: 'x'"),
        (RuntimeError(), "RuntimeError"),
        (UserError("wrong", "file:1:2"), "file:1:2: wrong"),
        (SystemExit(3), "SystemExit: 3"),
        (RecursionError("too deep"), "RecursionError: too deep"),
        (OfItsOwn("mine"), "OfItsOwn: mine"),
        (GeneratorExit(), "GeneratorExit"),
        (UntoldError(), "UntoldError: its text cannot be told"),
        (UntoldTooError(), "UntoldTooError: its text cannot be told"),
        (WordlessError(), "WordlessError: its text cannot be told"),
        (CunningTextError(), "CunningTextError: text"),
        (FileNotFoundError(2, "none", "caf\udce9.csv"), r"FileNotFoundError: [Errno 2] none: 'caf\udce9.csv'"),
        (ValueError("red \x1b[31m"), r"ValueError: red \x1b[31m"),
        (ValueError("x" * 10**6), "ValueError: " + "x" * 186 + "..." + "x" * 99),
        (grouped(2000), "ExceptionGroup: deep (1 sub-exception)"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_any_exception_becomes_a_failure_of_one_line_that_can_be_stored(
    error: BaseException, reason: str, tmp_path: Path
) -> None:
    failure = raising(error)
    assert isinstance(failure, Failure)
    assert (failure.status, failure.reason) == ("failed", reason)
    store = Store(tmp_path)
    store.fail("cell", "ab" * 32, failure)
    stored = store.failure("cell", "ab" * 32)
    assert stored is not None
    assert stored.reason == reason
    assert len(stored.traceback) < 30_000
    assert failure.traceback.startswith("Traceback") or isinstance(error, ExceptionGroup)


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_a_failure_of_any_text_is_stored_as_text_that_can_be_printed(reason: str, trace: str) -> None:
    written: list[bytes] = []

    class Kept(Store):
        def __init__(self) -> None:
            super().__init__(Path("nowhere"))
            self._files.write = lambda place, parts, flush=False: written.extend(parts)  # type: ignore[method-assign]

    Kept().fail("cell", "ab" * 32, Failure("failed", reason, trace))
    told = json.loads(written[0].decode())
    assert told["reason"].isprintable()
    assert all(line.isprintable() for line in told["traceback"].split("\n"))


def test_memory_that_cannot_be_had_is_a_failure_of_its_own() -> None:
    failure = raising(MemoryError())
    assert isinstance(failure, Failure)
    assert (failure.status, failure.reason) == ("out of memory", "MemoryError")


def test_what_is_missing_needs_no_traceback() -> None:
    assert raising(MissingError("target original 0: it broke")) == Failure("failed", "target original 0: it broke")


def test_a_failure_in_another_process_stays_what_it_was() -> None:
    crashed = Failure("crashed", "its process was killed")
    assert raising(FailedElsewhereError(crashed)) == crashed


def test_ctrl_c_stops_the_run() -> None:
    with pytest.raises(KeyboardInterrupt):
        raising(KeyboardInterrupt())


RAISES = """
from unlearnbench import Dataset, FunctionUnlearner, ScoreAttack, AttackPlugin, MetricPlugin, Metric, Estimate
from unlearnbench import UnlearnerPlugin, hookimpl

class OfItsOwn(BaseException):
    pass

class UntoldError(Exception):
    def __str__(self):
        raise OfItsOwn

ERRORS = {"own": OfItsOwn("mine"), "untold": UntoldError(), "surrogate": ValueError("caf\\udce9"),
          "long": ValueError("x" * 10**6)}

def deeper(n):
    return deeper(n + 1) + 1

class RaisesAttack(ScoreAttack):
    def __init__(self, what: str) -> None:
        self.what = what
    def score(self, view):
        if self.what == "deep":
            deeper(0)
        raise ERRORS[self.what]

class RaisesUnlearner(FunctionUnlearner):
    def __init__(self, what: str) -> None:
        self.what = what
    def unlearn(self, deletion):
        raise ERRORS[self.what]

class RaisesMetric(Metric):
    def __init__(self, what: str) -> None:
        self.what = what
    def measure(self, cell):
        if self.what == "name":
            return {"caf\\udce9": Estimate.undefined("no")}
        raise ERRORS[self.what]

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="raises", summary="Fails.", factory=RaisesAttack)

@hookimpl
def unlearnbench_unlearners():
    yield UnlearnerPlugin(name="raises", summary="Fails.", factory=RaisesUnlearner)

@hookimpl
def unlearnbench_metrics():
    yield MetricPlugin(name="raises", summary="Fails.", factory=RaisesMetric)
"""
SAID = {
    "own": "OfItsOwn: mine",
    "untold": "UntoldError: its text cannot be told",
    "surrogate": r"ValueError: caf\udce9",
    "long": "ValueError: xxx",
    "deep": "RecursionError: maximum recursion depth exceeded",
    "name": "UnicodeEncodeError",
}
Case = Callable[[str], dict[str, object]]


def of(kind: str, *whats: str) -> list[object]:
    return [{"name": "raises", "params": {"what": what}} for what in whats]


def test_whatever_an_attack_raises_costs_its_own_cells(lab: Lab) -> None:
    whats = ("own", "untold", "surrogate", "long", "deep")
    attacks = [*of("attack", *whats), "sorted-diff"]
    ran = lab.run(only=("unlearner=none",), attacks=attacks, plugins=[lab.plugin(RAISES)])
    for what in whats:
        row = ran.row(attack=f"raises(what={what})")
        assert row.status == "failed"
        assert row.reason.startswith(SAID[what])
        assert len(row.reason) <= 300
    assert ran.row(attack="sorted-diff").status == "ok"
    assert ran.outcome.failed == len(whats)


def test_whatever_an_unlearner_raises_costs_its_own_cells(lab: Lab) -> None:
    whats = ("own", "untold", "surrogate", "long")
    ran = lab.run(
        only=("attack=sorted-diff", "attack=blind"), unlearners=of("unlearner", *whats), plugins=[lab.plugin(RAISES)]
    )
    for what in whats:
        row = ran.row(unlearner=f"raises(what={what})", attack="sorted-diff")
        assert row.status == "failed"
        assert row.reason.startswith(f"target original 0: {SAID[what]}"[:100])
        assert len(row.reason) <= 300
    assert ran.row(unlearner="retrain", attack="sorted-diff").status == "ok"
    assert ran.outcome.failed == 2 * len(whats)


@pytest.mark.parametrize("what", ["own", "untold", "name"])
def test_whatever_a_metric_raises_or_gives_is_a_failed_cell(lab: Lab, what: str) -> None:
    ran = lab.run(metrics=of("metric", what), plugins=[lab.plugin(RAISES)], only=("unlearner=none", "attack=random"))
    assert {row.status for row in ran.rows} == {"failed"}
    assert all(row.reason.startswith(SAID[what]) for row in ran.rows)


def test_without_a_folder_for_temporary_files_the_attacks_of_others_fail_alone(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(**_: object) -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/nowhere']")

    monkeypatch.setattr("unlearnbench.run.isolated.mkdtemp", nowhere)
    attacks = [*of("attack", "own"), "sorted-diff"]
    ran = lab.run(
        only=("unlearner=none", "attack=raises", "attack=sorted-diff"), attacks=attacks, plugins=[lab.plugin(RAISES)]
    )
    assert "No usable temporary directory found" in ran.row(attack="raises(what=own)").reason
    assert ran.row(attack="sorted-diff").status == "ok"
