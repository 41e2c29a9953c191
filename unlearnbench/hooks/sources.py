"""The sources of plug-ins: unlearnbench itself, an installed distribution, or a file."""

from __future__ import annotations

import ast
import hashlib
import json
import sys
import traceback
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Literal

from unlearnbench.core.errors import Location, UserError, describe_error
from unlearnbench.hooks.specs import PROJECT

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Source:
    """The source of a plug-in."""

    kind: Literal["builtin", "distribution", "file"]
    name: str
    """Of the distribution or file."""
    version: str = ""
    """Of the distribution."""
    path: str = ""
    """Absolute, of a file or of an editable distribution."""
    sha256: str = ""
    """Of the code of a file or an editable distribution, whose version does not identify the code; see
    :func:`normalized`."""

    def __str__(self) -> str:
        if self.kind == "builtin":
            return f"{self.name} {self.version} (built-in)"
        return f"file {self.path}" if self.kind == "file" else f"distribution {self.name} {self.version}"


@dataclass(frozen=True)
class BrokenPlugin:
    """A distribution, one hook of it, or a file that could not or may not be used, and why in one line."""

    source: Source
    error: str

    def __str__(self) -> str:
        return f"{self.source}: {self.error}"


def position(error: BaseException, path: str) -> Location | str:
    """Return the location in the file at ``path`` that raised an exception, or the path if it is not known."""
    if isinstance(error, SyntaxError) and error.filename == path and error.lineno:
        return Location(path, error.lineno, error.offset or 1)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == path and frame.lineno:
            return Location(path, frame.lineno, (frame.colno or 0) + 1)
    return path


def import_file(path: Path) -> tuple[ModuleType, Source]:
    """Run a one-file plug-in as a separate module; UserError with file:line where it cannot be read or run.

    The module's name contains a hash of path and content: files with the same stem stay separate, and a file is run
    once even if several registries are loaded.
    """
    location = str(path)
    try:
        code = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the plug-in file: {error.strerror}", location) from error
    source = Source("file", path.name, path=location, sha256=hashlib.sha256(normalized(code)).hexdigest())
    name = f"{PROJECT}_file_{hashlib.sha256(location.encode() + code).hexdigest()[:16]}"
    if name not in sys.modules:
        _run(name, code, location)
    return sys.modules[name], source


def run_again(path: Path) -> None:
    """Run a one-file plug-in once more, as a module that nobody keeps: to see what that does."""
    name = f"{PROJECT}_file_again"
    _run(name, path.read_bytes(), str(path))
    del sys.modules[name]


def _run(name: str, code: bytes, location: str) -> None:
    module = ModuleType(name)
    module.__file__ = location
    sys.modules[name] = module  # dataclasses look up their module when they are created
    try:
        # Not by the import system: it would write a byte-code cache, keyed by time stamp, beside the user's file.
        exec(compile(code, location, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - the user asked for it
    except BaseException as error:  # Ctrl-C too: what was run in part must not be found again
        del sys.modules[name]
        if isinstance(error, KeyboardInterrupt):
            raise
        message = f"the plug-in file fails: {describe_error(error)}{_sibling_hint(error, Path(location).parent)}"
        raise UserError(message, position(error, location)) from error


def _sibling_hint(error: BaseException, folder: Path) -> str:
    name = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if name and ((folder / name).is_dir() or (folder / f"{name}.py").is_file()):
        return f"; a plug-in file cannot import what lies beside it: put {name} into the file, or both into a package"
    return ""


def normalized(code: bytes) -> bytes:
    """Return Python code without comments, layout and docstrings, which change no result."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):  # it cannot be run either
        return code
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree).encode()


def distribution_of(entry_point: metadata.EntryPoint) -> Source:
    """Return the source of an entry point without importing it."""
    dist = entry_point.dist
    return Source("distribution", dist.name, dist.version) if dist else Source("distribution", entry_point.name)


def import_distribution(entry_point: metadata.EntryPoint) -> tuple[object, Source]:
    """Import the object that an entry point names. Exceptions of the import propagate."""
    plugin, source = entry_point.load(), distribution_of(entry_point)
    direct_url = entry_point.dist.read_text("direct_url.json") if entry_point.dist else None
    if not direct_url or not json.loads(direct_url).get("dir_info", {}).get("editable"):
        return plugin, source
    file = Path(sys.modules[entry_point.module.partition(".")[0]].__file__ or "")
    root = file.parent if file.name == "__init__.py" else file
    return plugin, Source("distribution", source.name, source.version, str(root), _code_sha256(root))


def _code_sha256(root: Path) -> str:
    """Hash the Python files below a package, or the one file of a module: names and code."""
    digest = hashlib.sha256()
    for file in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
        code = normalized(file.read_bytes())
        digest.update(f"{file.relative_to(root).as_posix()}\0{len(code)}\0".encode() + code)
    return digest.hexdigest()
