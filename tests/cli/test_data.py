from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from unlearnbench.cli import data
from unlearnbench.core.dataset_cards import Availability, card
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Provenance, Records
from unlearnbench.hooks.records import DatasetPlugin
from unlearnbench.hooks.registry import Registered, Registry, Source

RECORDS = Records(
    name="toy",
    x=np.array([[0.0, 1.0], [0.0, 1.0], [2.0, 3.0]]),
    y=np.array([0, 1, 1]),
    n_classes=2,
    provenance=Provenance("a instances", "CC0", "made by hand"),
    class_names=("no", "yes"),
)


class Unlocated(Dataset):
    """Loads, but does not say where it is, as most plug-ins."""

    def load(self) -> Records:
        return RECORDS


class Here(Unlocated):
    def availability(self) -> Availability:
        return Availability(True, "in the instances", "package")


class Absent(Dataset):
    def availability(self) -> Availability:
        return Availability(False, "put it at /some/place")

    def load(self) -> Records:
        raise UserError("it is not here; put it at /some/place")


class Online(Dataset):
    """Not here until it is fetched."""

    here = False

    def availability(self) -> Availability:
        return Availability(True, "/cache/toy.npz", "cache") if Online.here else Availability(False, "far", "download")

    def fetch(self) -> None:
        Online.here = True

    def load(self) -> Records:
        return RECORDS


class Offline(Absent):
    def fetch(self) -> None:
        raise UserError("toy.npz is not here and cannot be downloaded: the connection failed")


class Tampered(Here):
    def load(self) -> Records:
        raise UserError("is not the expected file", where="toy.npz")


class Crashing(Dataset):
    def load(self) -> Records:
        raise ZeroDivisionError("by zero")


@dataclass(frozen=True)
class Demanding(Unlocated):
    path: str


def run(monkeypatch: pytest.MonkeyPatch, datasets: dict[str, type], *arguments: str) -> Result:
    """Run ``data`` where these are the only data sets."""
    plugins = [
        DatasetPlugin(name=name, summary=f"the {name} set", factory=cls, licence="CC0")
        for name, cls in datasets.items()
    ]
    source = Source("file", "plugins.py")
    registry = Registry(tuple(Registered(plugin, source) for plugin in plugins))
    monkeypatch.setattr(data, "load_registry", lambda files: registry)
    return CliRunner().invoke(data.app, arguments)


def test_the_list_tells_what_is_here_and_how_to_get_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, {"near": Here, "far": Absent, "silent": Unlocated}, "list")
    assert result.exit_code == 0
    table, *places = result.output.strip().split("\n\n")
    here = {line.split()[0]: line.split()[1] for line in table.splitlines()[2:]}
    assert here == {"near": "yes", "far": "no", "silent": "unknown"}
    assert "the near set" in table
    assert places == ["far: put it at /some/place", "silent: must be loaded to know whether it is available"]


def test_the_list_is_json_where_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, {"near": Here, "far": Absent, "silent": Unlocated}, "list", "--json")
    entries = json.loads(result.output)
    assert [entry["available"] for entry in entries] == [True, False, None]
    assert entries[0] == {
        "name": "near",
        "available": True,
        "origin": "package",
        "licence": "CC0",
        "summary": "the near set",
        "place": "in the instances",
    }


def test_a_data_set_that_needs_parameters_does_not_end_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, {"demanding": Demanding, "near": Here}, "list", "--json")
    demanding, near = json.loads(result.output)
    assert demanding["available"] is None
    assert 'needs the parameter "path"' in demanding["place"]
    assert near["available"] is True


def test_show_prints_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, {"toy": Here}, "show", "toy")
    lines = dict(line.split(maxsplit=1) for line in result.output.splitlines())
    assert lines == {
        "rows": "3",
        "features": "2",
        "classes": "2: no (1), yes (2)",
        "majority": "0.667",
        "duplicates": "2",
        "licence": "CC0",
        "source": "a instances",
        "note": "made by hand",
        "sha256": RECORDS.sha256,
    }


def test_show_prints_the_card_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = json.loads(run(monkeypatch, {"toy": Here}, "show", "toy", "--json").output)
    assert shown["classes"] == [["no", 1], ["yes", 2]]
    assert shown["sha256"] == card(RECORDS).sha256


def test_fetch_puts_what_is_not_here_in_the_cache_and_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Online, "here", False)
    listed = run(monkeypatch, {"toy": Online}, "list").output
    assert ["toy", "no", "download", "CC0", "the", "toy", "set"] in [line.split() for line in listed.splitlines()]
    result = run(monkeypatch, {"toy": Online, "near": Here, "silent": Unlocated}, "fetch", "toy", "near")
    assert result.exit_code == 0
    assert result.output.splitlines() == ["toy: /cache/toy.npz", "near: in the instances"]
    assert Online.here


def test_fetch_tells_as_json_by_which_way_each_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Online, "here", False)
    fetched = json.loads(run(monkeypatch, {"toy": Online, "near": Here}, "fetch", "toy", "near", "--json").output)
    assert [(entry["name"], entry["available"], entry["origin"]) for entry in fetched] == [
        ("toy", True, "cache"),
        ("near", True, "package"),
    ]


@pytest.mark.parametrize(
    ("dataset", "message"),
    [(Offline, "far: toy.npz is not here and cannot be downloaded"), (Absent, "far: cannot be downloaded; put it at")],
)
def test_fetch_of_what_cannot_be_had_is_a_user_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, dataset: type[Dataset], message: str
) -> None:
    result = run(monkeypatch, {"far": dataset}, "fetch", "far")
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)


@pytest.mark.parametrize("command", ["show", "verify", "fetch"])
def test_an_unknown_name_is_a_user_error_with_the_closest_one(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    result = run(monkeypatch, {"adult": Here}, command, "adlut")
    assert isinstance(result.exception, UserError)
    assert 'did you mean "adult"?' in str(result.exception)


def test_show_of_an_absent_set_is_a_user_error_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, {"far": Absent}, "show", "far")
    assert isinstance(result.exception, UserError)
    assert "put it at /some/place" in str(result.exception)


def test_verify_passes_over_absent_sets_that_were_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, {"near": Here, "silent": Unlocated, "far": Absent}, "verify")
    assert result.exit_code == 0
    assert "near: ok (package: in the instances)\n  rows      3\n" in result.output
    assert "silent: ok\n" in result.output
    assert "far: absent, put it at /some/place" in result.output


def test_verify_fails_on_an_absent_set_that_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, {"near": Here, "far": Absent}, "verify", "far")
    assert result.exit_code == 1
    assert "far: absent" in result.output
    assert "near" not in result.output


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Tampered, "toy.npz: is not the expected file"),
        (Crashing, "ZeroDivisionError: by zero"),
        (Demanding, 'dataset "broken" needs the parameter "path"'),
    ],
)
def test_verify_reports_what_fails_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, broken: type[Dataset], message: str
) -> None:
    result = run(monkeypatch, {"broken": broken, "near": Here}, "verify", "--json")
    failed, passed = json.loads(result.output)
    assert result.exit_code == 1
    assert failed == {"name": "broken", "status": "failed", "message": message, "origin": "", "place": "", "card": None}
    assert passed["status"] == "ok"
    assert (passed["origin"], passed["place"]) == ("package", "in the instances")
    assert passed["card"]["duplicates"] == 2


def test_listing_our_own_data_sets_tells_of_each_where_it_is_and_imports_nothing_heavy() -> None:
    code = """
import sys
from unlearnbench.cli.data import app
app(["list", "--json"], standalone_mode=False)
print(*sorted({"torch", "sklearn", "scipy", "pandas", "lightgbm", "numba", "pooch", "PIL"}
    & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    available = {entry["name"]: entry["available"] for entry in json.loads(done.stdout)}
    assert available["adult"]
    assert None not in available.values()
    assert done.stderr.strip() == ""
