"""What documents say of the code is true: names, defaults, links, versions, tables."""

from __future__ import annotations

import csv
import re
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import pytest
import yaml

import unlearnbench
from unlearnbench.cli import main
from unlearnbench.cli.app import VERBS
from unlearnbench.core.estimates import Status
from unlearnbench.core.pools import EpisodeSizes
from unlearnbench.hooks import specs
from unlearnbench.hooks.records import AttackPlugin, UnlearnerPlugin
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.results import RowStatus
from unlearnbench.suite.keys import DEFAULTS, KEYS, REQUIRED

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("0*.md"))
PAGES = sorted(
    {*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/**/*.md"), ROOT / "leaderboards" / "RULES.md"}
)
TEXTS = [*PAGES, ROOT / "CITATION.cff", *sorted(ROOT.glob("plugins/**/*.py")), *sorted(ROOT.glob("plugins/**/*.toml"))]


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def code_words(page: Path) -> set[str]:
    """Return what stands in backquotes on a page."""
    return set(re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```$", "", text(page), flags=re.M | re.S)))


def table_rows(page: Path) -> dict[str, list[str]]:
    """Return the rows of all tables of a page by their first cell, backquotes left out."""
    lines = [line.strip("|").replace("`", "").split("|") for line in text(page).splitlines() if line.startswith("|")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", text(page))
    local = [link.partition("#")[0] for link in links if "://" not in link and not link.startswith("#")]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_names_a_place_on_somebodys_machine(file: Path) -> None:
    assert not re.search(r"(?<![\w.$])/(tmp|home|root|work|var|mnt|Users)/", text(file))


def test_the_guide_to_plugins_has_every_hook() -> None:
    hooks = {name for name in vars(specs) if name.startswith("unlearnbench_")}
    assert hooks == {word for word in code_words(DOCS / "plugins.md") if word.startswith("unlearnbench_")}


def test_the_guide_to_suites_has_every_key_and_says_which_are_required() -> None:
    rows = table_rows(DOCS / "suites.md")
    documented = {key.strip(): row for keys, row in rows.items() for key in keys.split(",")}
    assert set(KEYS) <= set(documented)
    assert {key for key in KEYS if documented[key][-1] == "required"} == set(REQUIRED)


@pytest.mark.parametrize("key", ["seeds", "scenarios", "defenses", "engine", "device"])
def test_the_guide_to_suites_tells_the_defaults(key: str) -> None:
    assert yaml.safe_load(table_rows(DOCS / "suites.md")[key][-1]) == DEFAULTS[key]


def test_the_guide_to_suites_tells_the_default_sizes() -> None:
    rows = table_rows(DOCS / "suites.md")
    assert {name: int(rows[name][-1]) for name in asdict(EpisodeSizes())} == asdict(EpisodeSizes())


def test_metrics_that_a_suite_gets_by_default_are_all_but_those_of_privacy_and_papers_on_unlearning(
    registry: Registry,
) -> None:
    default = DEFAULTS["metrics"]
    assert isinstance(default, list)
    retraining = {"cost", "retraining-gap", "relearn-time", "mia-efficacy", "klom", "forgetting-quality"}
    others = {"epsilon", "epsilon-lower-bound", "indiscernibility", "one-vs-rest", "confusion"}
    assert {*default, *others, *retraining} == {plugin.name for plugin in registry.all("metric")}
    assert all(registry.get("metric", name).load().reads_retrained for name in retraining)  # type: ignore[attr-defined]  # a metric


def test_the_page_on_models_has_every_built_in_model(registry: Registry) -> None:
    named = {row.partition(" ")[0] for row in table_rows(DOCS / "models.md")}
    assert {plugin.name for plugin in registry.all("model")} <= named


def test_the_page_on_statistics_has_every_number_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = tmp_path / "tiny.yaml"
    suite.write_text(
        "{suite: tiny, version: 1, datasets: [breast-cancer], models: [decision-tree], unlearners: [retrain], "
        "attacks: [sorted-diff], episodes: {originals: 2, requests: 2, records: 80, negatives: 5}}"
    )
    only = ("--only", "attack=sorted-diff", "--only", "unlearner=retrain", "--store", str(tmp_path / "store"))
    assert main(["run", str(suite), *only]) == 0
    capsys.readouterr()
    assert main(["results", str(suite), *only, "--format", "csv"]) == 0
    metrics = {row["metric"] for row in csv.DictReader(capsys.readouterr().out.splitlines())}
    assert "auc" in metrics
    assert metrics <= code_words(DOCS / "statistics.md")


def test_the_page_on_statistics_has_every_status() -> None:
    assert {*get_args(Status), *get_args(RowStatus)} <= code_words(DOCS / "statistics.md")


def test_the_page_on_statistics_has_every_control_row(registry: Registry) -> None:
    controls = {
        f"{plugin.kind} {plugin.name}"
        for plugin in registry.plugins
        if isinstance(plugin.plugin, AttackPlugin | UnlearnerPlugin) and plugin.plugin.role == "control"
    }
    assert controls | {"unlearner retrain", "attack classical"} == {
        row for row in table_rows(DOCS / "statistics.md") if row.startswith(("attack ", "unlearner "))
    }


def test_the_readme_has_every_verb() -> None:
    commands = [row.split() for row in table_rows(ROOT / "README.md") if row.startswith("unlearnbench ")]
    assert {words[1] for words in commands} == set(VERBS)


def test_every_decision_is_listed_and_has_its_four_parts() -> None:
    index = text(DOCS / "decisions" / "README.md")
    for page in DECISIONS:
        assert f"[{page.name[:4]}]({page.name})" in index
        assert text(page).startswith(f"# {page.name[:4]} ")
        parts = re.findall(r"^\*\*(\w+)\.\*\*", text(page), re.M)
        assert parts == ["Context", "Decision", "Why", "Consequence"]


def test_the_citation_is_complete_and_of_this_version() -> None:
    citation = yaml.safe_load(text(ROOT / "CITATION.cff"))
    project = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]
    assert {"cff-version", "message", "title", "authors"} <= set(citation)  # all that version 1.2.0 requires
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == unlearnbench.__version__
    assert citation["license"] == project["license"]
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in project["authors"]]
    assert {"type", "title", "authors"} <= set(citation["references"][0])


def test_the_changelog_begins_with_this_version() -> None:
    (first, *_) = re.findall(r"^## (\S+) - (unreleased|\d{4}-\d\d-\d\d)$", text(ROOT / "CHANGELOG.md"), re.M)
    assert first[0] == unlearnbench.__version__
