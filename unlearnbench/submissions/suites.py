"""Finds the suite of a submission here. Whatever can be refused is refused before a plug-in file is executed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from unlearnbench.core.errors import UserError
from unlearnbench.core.hashing import content_key
from unlearnbench.core.messages import one_line
from unlearnbench.hooks.registry import Registry
from unlearnbench.submissions.findings import refuse
from unlearnbench.submissions.reading import DOCUMENT
from unlearnbench.submissions.schema import Document
from unlearnbench.suite.find import standard_suites
from unlearnbench.suite.load import load_suite, named_plugins, read_header
from unlearnbench.suite.model import Suite


def known_suite(
    document: Document, file: Path | None, plugins: Iterable[Path], disabled: Iterable[str], run_plugin_files: bool
) -> tuple[Suite, Registry]:
    """Return the suite of a submission, as it is known here, and the plug-ins.

    ``file`` is the suite where it is not a standard one; with ``run_plugin_files`` the plug-in files that it names are
    executed. Raises :class:`UserError` where it names some and they may not be, :class:`RefusedError` where the
    submission is of another suite.
    """
    if file:
        _check_file(document, file, run_plugin_files)
    files = [file] if file else _standard(document.suite_name)
    loaded = [load_suite(path, plugin_files=plugins, disabled=disabled, run_plugin_files=True) for path in files]
    for suite, registry in loaded:
        if suite.sha256 == document.suite_sha256 == content_key(document.suite):
            return suite, registry
    known = " or ".join(suite.sha256[:12] for suite, _ in loaded)
    what = f"its suite {_shown(document.suite_name)}, sha256 {document.suite_sha256[:12]}, is not the one known here"
    raise refuse(DOCUMENT, f"{what}, {known}", "run the suite as it is now and pack that run")


def _standard(name: str) -> list[Path]:
    files = [path for path in standard_suites().values() if path.stem == name]
    if not files:
        remedy = "enter a standard suite, or name its file: --suite"
        raise refuse(DOCUMENT, f"{_shown(name)} is no standard suite", remedy)
    return files


def _check_file(document: Document, file: Path, run_plugin_files: bool) -> None:
    """Refuse a suite file that is another suite than the submission's, or that names code nobody vouches for."""
    name, plugins = str(read_header(file)["suite"]), named_plugins(file)
    if (name, list(plugins)) != (document.suite_name, document.suite.get("plugins", [])):
        what = f"its suite {_shown(document.suite_name)} is not {_shown(name)} of {one_line(file.name)[:100]}"
        raise refuse(DOCUMENT, f"{what}, or names other plug-in files", "name the file of its suite: --suite")
    if plugins and not run_plugin_files:
        named = one_line(", ".join(plugins))[:120]
        what = f"the suite names plug-in files, which a check would execute: {named}"
        raise UserError(f"{what}; read them, then add --run-plugin-files", str(file))


def _shown(name: str) -> str:
    return repr(one_line(name)[:100])
