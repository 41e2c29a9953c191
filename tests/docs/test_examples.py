"""The examples of all documents work: each is taken out of its page and run.

A page is a folder: an example whose first line names a file (``# my_attack.py``) is written there, and the commands of
the page run beside it. Commands that would train a whole standard suite are parsed only.
"""

from __future__ import annotations

import json
import re
import runpy
import shlex
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.cli import main
from unlearnbench.cli.app import _make_app
from unlearnbench.hooks.parameters import build
from unlearnbench.hooks.registry import Registered, Registry, load_registry
from unlearnbench.suite.load import load_suite
from unlearnbench.testing import findings_of

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    {*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/**/*.md"), ROOT / "leaderboards" / "RULES.md"}
)
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w{}-]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)

TINY = {
    "dataset": "breast-cancer",
    "model": "decision-tree",
    "unlearner": "retrain",
    "scenario": "single",
    "defense": "none",
    "attack": "classical",
    "metric": "auc",
}
"""The smallest suite: one entry of each kind."""


@dataclass(frozen=True)
class Example:
    page: Path
    line: int
    language: str
    text: str

    @property
    def file(self) -> str:
        """The name that the example's first line gives it, if any."""
        named = re.match(r"# ([\w-]+\.\w+)\n", self.text)
        return named[1] if named else ""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def examples_of(page: Path) -> list[Example]:
    text = page.read_text(encoding="utf-8")
    return [
        Example(page, text.count("\n", 0, found.start()) + 1, found["language"], _dedented(found))
        for found in FENCE.finditer(text)
    ]


def _dedented(found: re.Match[str]) -> str:
    return "".join(line.removeprefix(found["indent"]) for line in found["text"].splitlines(keepends=True))


TUTORIAL = "tutorial.md"  # its commands build on one another: test_tutorial.py runs them
EXAMPLES = [example for page in PAGES if page.name != TUTORIAL for example in examples_of(page)]


STARTS_PROCESSES = re.compile(r"unlearnbench run .*--(?:workers|timeout|memory-limit)")
"""Commands that train a suite in processes of their own, each of which loads and compiles all anew."""


def in_language(language: str) -> pytest.MarkDecorator:
    chosen = [example for example in EXAMPLES if example.language == language]
    marked = [
        pytest.param(each, marks=pytest.mark.slow if STARTS_PROCESSES.search(each.text) else []) for each in chosen
    ]
    return pytest.mark.parametrize("example", marked, ids=map(str, chosen))


@pytest.fixture(scope="module")
def store_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Return the store of a page, which its examples share: they run the same suites."""
    stores = tmp_path_factory.mktemp("stores")
    return lambda page: stores / str(PAGES.index(page))


@pytest.fixture
def folder(example: Example, store_of: Callable[[Path], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the files of an example's page, and go there."""
    for other in examples_of(example.page):
        if other.file:
            (tmp_path / other.file).write_text(other.text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNLEARNBENCH_STORE", str(store_of(example.page)))
    return tmp_path


def test_every_example_is_in_a_language_that_is_tested() -> None:
    directives = {"{eval-rst}", "{toctree}"}  # the documentation is built by another test
    assert {example.language for example in EXAMPLES} - directives == {"bash", "python", "sh", "yaml"}


def test_the_files_of_a_page_have_names_of_their_own() -> None:
    named = [(example.page, example.file) for example in EXAMPLES if example.file]
    assert len(named) == len(set(named))


@in_language("yaml")
def test_a_suite_loads(example: Example, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = list(example.page.parent.glob("src/*/hooks.py"))  # a page of a plug-in package may use what it offers
    for file in hooks:
        monkeypatch.syspath_prepend(file.parents[1])
    suite, _ = load_suite(folder / example.file, load_registry(_files(folder) + hooks, discover=False))
    assert suite.n_cells > 0


def _files(folder: Path) -> list[Path]:
    """Return the plug-in files that a page's suite names, given that all of its files lie in the folder."""
    named = {name for suite in folder.glob("*.yaml") for name in re.findall(r"\w+\.py", suite.read_text())}
    return [folder / name for name in sorted(named)]


@in_language("python")
def test_python_runs_and_its_plugins_go_through_a_whole_run(
    example: Example, folder: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    if "@hookimpl" not in example.text:
        exec(compile(example.text, str(example), "exec"), {})  # noqa: S102 - our own document
        return
    file = folder / example.file
    registry = load_registry([file], discover=False)
    mine = [plugin for plugin in registry.plugins if plugin.source.kind == "file"]
    assert mine or registry.observers.observers
    for plugin in mine or (None,):
        run_tiny(folder, file, plugin)
        assert "0 failed, 0 skipped" in capsys.readouterr().out
    assert not [record for record in caplog.records if record.name.endswith("observers")]


@pytest.mark.filterwarnings("ignore:The number of unique classes is greater")  # scikit-learn's, of thirty classes
@pytest.mark.parametrize("example", [each for each in EXAMPLES if "@hookimpl" in each.text], ids=str)
def test_plugins_of_the_documents_pass_the_conformance_checks(example: Example, folder: Path) -> None:
    registry = load_registry([folder / example.file], discover=False)
    models = tuple(registry.get("model", name) for name in ("decision-tree", "mlp"))
    for plugin in (plugin for plugin in registry.plugins if plugin.source.kind == "file"):
        assert findings_of(plugin, Registry(models)) == []


def run_tiny(folder: Path, file: Path, plugin: Registered | None) -> None:
    """Run one cell that uses the plug-in; retraining is fresh, which every model allows."""
    chosen = dict(TINY)
    if plugin and plugin.kind in chosen:
        chosen[plugin.kind] = plugin.name
    if plugin and plugin.kind == "unlearner" and build(plugin, {}).refusal(DecisionTree()):  # type: ignore[attr-defined]  # an unlearner
        chosen["model"] = "mlp"
    lists: dict[str, list[object]] = {f"{kind}s": [name] for kind, name in chosen.items()}
    if chosen["unlearner"] == "retrain":
        lists["unlearners"] = [{"name": "retrain", "params": {"init": "fresh", "order": "fresh"}}]
    sizes = {"originals": 2, "requests": 2, "records": 80, "negatives": 5}
    suite = folder / "tiny.yaml"
    suite.write_text(json.dumps({"suite": "tiny", "version": 1, **lists, "episodes": sizes, "device": "cpu"}))
    only = [word for kind, name in chosen.items() if kind != "metric" for word in ("--only", f"{kind}={name}")]
    executor = ["--executor", f"{plugin.name}:seed=7"] if plugin and plugin.kind == "executor" else []
    assert main(["run", "tiny.yaml", "--plugin-file", str(file), "--rerun", "all", *only, *executor]) == 0


def test_an_observer_of_the_documents_is_called(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = (example for example in EXAMPLES if "def unlearnbench_after_cell" in example.text)
    file = tmp_path / example.file
    file.write_text(example.text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        run_tiny(tmp_path, file, None)
    assert "done: classical" in capsys.readouterr().err


def test_the_executor_of_the_documents_changes_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = (example for example in EXAMPLES if "def unlearnbench_executors" in example.text)
    file = tmp_path / example.file
    file.write_text(example.text)
    executors = load_registry([file], discover=False).all("executor")
    (plugin,) = (plugin for plugin in executors if plugin.source.kind == "file")
    monkeypatch.chdir(tmp_path)
    results = []
    for chosen in (None, plugin):
        monkeypatch.setenv("UNLEARNBENCH_STORE", str(tmp_path / f"store-{chosen}"))
        run_tiny(tmp_path, file, chosen)
        capsys.readouterr()
        assert main(["results", "tiny.yaml", "--format", "csv"]) == 0
        results.append([line for line in capsys.readouterr().out.splitlines() if ",ok," in line])
    assert results[0]
    assert results[0] == results[1]


@in_language("bash")
def test_commands_work(example: Example, folder: Path) -> None:
    for command in example.text.splitlines():
        try_command(shlex.split(command))


@in_language("sh")
def test_scripts_can_be_read_and_call_commands_that_exist(example: Example) -> None:
    subprocess.run(["/bin/sh", "-n"], input=example.text, text=True, check=True)
    called = re.findall(r"\bunlearnbench ([^;&|\n\\]*(?:\\\n[^;&|\n\\]*)*)", example.text)
    assert called
    for arguments in called:
        parse(shlex.split(arguments.replace("\\\n", " ").rstrip('" ').replace('"', "")))


def try_command(words: Sequence[str]) -> None:
    match words:
        case ["make", *targets]:
            assert set(targets) <= set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        case ["python", "-m", "pip", "install", *projects]:
            assert all((ROOT / project / "pyproject.toml").is_file() for project in projects)
        case ["python", "-m", "pytest", *arguments]:
            assert all((ROOT / path).is_dir() for path in arguments if path.startswith("tests/"))
        case ["python", script] if script.endswith(".py"):
            runpy.run_path(script)
        case ["unlearnbench", "run", suite, *_] if not suite.endswith(".yaml"):
            parse(words[1:])
        case ["unlearnbench", "leaderboard", *_]:
            parse(words[1:])
        case ["unlearnbench", *arguments]:
            assert main(arguments) == 0
        case _:
            pytest.fail(f"no test knows what to make of {shlex.join(words)}")


def parse(arguments: Sequence[str]) -> None:
    """Parse a command line to its last word, and run nothing."""
    command = typer.main.get_command(_make_app())
    context = command.make_context("unlearnbench", list(arguments))
    while isinstance(command, typer.core.TyperGroup):
        name, found, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        command = found
        context = command.make_context(name, rest, parent=context)


def test_a_wrong_command_would_be_found() -> None:
    with pytest.raises(Exception, match="--onyl"):
        parse(["run", "quickstart", "--onyl", "x"])
