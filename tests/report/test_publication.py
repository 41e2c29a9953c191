from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.hooks.registry import Registry
from unlearnbench.report.leaderboard import build
from unlearnbench.report.publication import Publication
from unlearnbench.report.roles import Roles
from unlearnbench.run.results import Row
from unlearnbench.run.store import Store

MakeRow = Callable[..., Row]
SUITE = {"suite": "made-up", "version": 1, "seeds": [0, 1], "description": "über"}


@pytest.fixture
def publication(row: MakeRow, roles: Roles) -> Publication:
    metrics = {"auc": Estimate(1 / 3, 0.1, 0.9, n=7, details={"se": 0.1}), "x": Estimate.undefined("no reason")}
    rows = (row(metrics=metrics), row(seed=1, status="failed"), row(seed=None, status="failed"))
    return Publication(SUITE, "abc", {"python": "3.12"}, roles, rows)


def test_what_is_written_is_read_back(publication: Publication, tmp_path: Path) -> None:
    file = publication.write(tmp_path)
    assert file == tmp_path / "made-up" / "results.json"
    read = Publication.read(file)
    assert (read.suite, read.suite_sha256, read.environment) == (SUITE, "abc", {"python": "3.12"})
    assert read.roles == publication.roles
    assert [row.to_dict() for row in read.rows] == [row.to_dict() for row in publication.rows]
    assert read.write(tmp_path / "again").read_bytes() == file.read_bytes()


@pytest.fixture
def file(publication: Publication, tmp_path: Path) -> Path:
    return publication.write(tmp_path)


def without(data: Any, *path: Any) -> Any:
    """Return data less the key that the path leads to."""
    here = data
    for key in path[:-1]:
        here = here[key]
    del here[path[-1]]
    return data


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '"text"',
        "{}",
        '{"schema": 2}',
        '{"schema": 2, "rows": [], "suite": "x", "suite_sha256": "", "environment": {}}',
        '{"schema": 2, "rows": [], "suite": {}, "suite_sha256": "", "environment": {}}',
        '{"schema": 2, "rows": [1], "suite": {"suite": "x", "seeds": []}, "suite_sha256": "", "environment": {}}',
        '{"schema": 2, "rows": [], "suite": {"suite": "x", "seeds": []}, "suite_sha256": "", "environment": 3}',
        "\x00\x01",
    ],
)
def test_what_is_no_result_is_told_in_one_line(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        build(Publication.read(file))
    assert str(caught.value).startswith(f"{file}: ")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "path",
    [
        ("rows", 0, "dataset"),
        ("rows", 0, "labels"),
        ("rows", 0, "labels", "attack"),
        ("rows", 0, "metrics"),
        ("rows", 0, "metrics", "auc", "value"),
        ("rows", 0, "seed"),
        ("suite", "seeds"),
        ("environment",),
        ("plugins",),
        ("plugins", "dataset"),
    ],
    ids=str,
)
def test_a_part_that_is_lacking_is_told_in_one_line(file: Path, path: tuple[Any, ...]) -> None:
    file.write_text(json.dumps(without(json.loads(file.read_text()), *path)))
    with pytest.raises(UserError) as caught:
        build(Publication.read(file))
    assert str(caught.value).startswith(f"{file}: ")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("metrics", []), ("metrics", {"auc": 3}), ("metrics", {"auc": {"value": None}}), ("labels", 3), ("model", [])],
)
def test_a_part_of_another_shape_is_told_in_one_line(file: Path, name: str, value: object) -> None:
    data = json.loads(file.read_text())
    data["rows"][0][name] = value
    file.write_text(json.dumps(data))
    with pytest.raises(UserError, match="not a published result"):
        build(Publication.read(file))


def test_bytes_that_are_no_text_are_told_in_one_short_line(file: Path) -> None:
    file.write_bytes(b'{"schema": "\xff' + b"x" * 5000)
    with pytest.raises(UserError) as caught:
        build(Publication.read(file))
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("schema", [1, 3])
def test_another_schema_is_refused_by_its_number_and_with_the_way_to_make_the_file_again(
    file: Path, schema: int
) -> None:
    file.write_text(file.read_text().replace('"schema": 2', f'"schema": {schema}', 1))
    with pytest.raises(UserError, match=f"has schema {schema}, this version reads 2; make it again: run"):
        Publication.read(file)


def test_a_row_whose_plugin_has_no_role_is_refused(file: Path) -> None:
    file.write_text(json.dumps(without(json.loads(file.read_text()), "plugins", "attack", "sorted-diff")))
    with pytest.raises(UserError, match="plugins lacks attack sorted-diff, which a row names"):
        Publication.read(file)


@pytest.mark.parametrize("declared", [{"role": "winner"}, {"role": "entry", "versions": "all"}, {"part": 1}, 3])
def test_a_role_that_no_plugin_can_declare_is_refused(file: Path, declared: object) -> None:
    data = json.loads(file.read_text())
    data["plugins"]["attack"]["sorted-diff"] = declared
    file.write_text(json.dumps(data))
    with pytest.raises(UserError, match="not a published result"):
        Publication.read(file)


def plan(*keys: str) -> Any:
    """As much of a plan as publishing looks at."""
    suite = SimpleNamespace(name="made-up", sha256="abc", to_dict=lambda: SUITE)
    return SimpleNamespace(suite=suite, full=SimpleNamespace(axes={}), episodes=dict.fromkeys(keys))


def put(store: Store, key: str, python: str) -> str:
    """Store an episode that was made with this version of Python."""
    store.put("episode", key * 32, {"seconds": {}, "environment": {"python": python}}, {})
    return key * 32


def test_an_unfinished_run_is_not_published(row: MakeRow, tmp_path: Path, registry: Registry) -> None:
    with pytest.raises(UserError, match="suite made-up: 1 row not run yet; run the whole suite to publish it"):
        Publication.of(plan(), [row(), row(seed=1, status="missing")], Store(tmp_path), registry)


def test_failures_are_published_with_the_rest(row: MakeRow, tmp_path: Path, registry: Registry) -> None:
    store = Store(tmp_path)
    rows = [row(), row(seed=1, status="failed")]
    made = Publication.of(plan(put(store, "ab", "3.12"), put(store, "cd", "3.12"), "ef" * 32), rows, store, registry)
    assert made.rows == tuple(rows)
    assert made.environment == {"python": "3.12"}


def test_results_of_two_environments_are_no_one_result(row: MakeRow, tmp_path: Path, registry: Registry) -> None:
    store = Store(tmp_path)
    with pytest.raises(UserError, match="made in 2 environments"):
        Publication.of(plan(put(store, "ab", "3.12"), put(store, "cd", "3.13")), [row()], store, registry)
