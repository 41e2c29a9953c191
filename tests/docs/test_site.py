"""The documentation builds without a warning, and has a page for all that is built in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from unlearnbench.hooks import specs
from unlearnbench.hooks.registry import Registry

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built from a copy; a warning is an error."""
    root = tmp_path_factory.mktemp("site")
    source, pages = root / "docs", root / "html"
    shutil.copytree(DOCS, source, ignore=shutil.ignore_patterns("_build", "reference"))
    shutil.copytree(DOCS.parent / "leaderboards", root / "leaderboards")  # its pictures
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", str(source), str(pages)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own documents
    assert done.returncode == 0, done.stderr
    return pages


@pytest.mark.slow
def test_every_built_in_plugin_has_a_page_with_its_parameters(site: Path, registry: Registry) -> None:
    for each in registry.plugins:
        page = (site / "reference" / each.kind / f"{each.name}.html").read_text(encoding="utf-8")
        assert each.plugin.summary.split("'")[0] in page


@pytest.mark.slow
def test_every_hook_is_on_the_page_of_hooks(site: Path) -> None:
    page = (site / "hooks.html").read_text(encoding="utf-8")
    assert all(name in page for name in vars(specs) if name.startswith("unlearnbench_"))
