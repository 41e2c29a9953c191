"""Where plug-ins come from: unlearnbench itself, an installed distribution, or a file."""

from __future__ import annotations

import hashlib
import json
import sys
import traceback
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Literal

from unlearnbench.core.errors import Location, UserError
from unlearnbench.hooks.markers import PROJECT


@dataclass(frozen=True)
class Source:
    """Where a plug-in comes from.

    ``name``: of the distribution or file · ``version``: of the distribution · ``path``: absolute, of a file or of
    an editable distribution · ``sha256``: of the code where a version does not pin it, that is, of files and of
    editable distributions.
    """

    kind: Literal["builtin", "distribution", "file"]
    name: str
    version: str = ""
    path: str = ""
    sha256: str = ""

    def __str__(self) -> str:
        if self.kind == "builtin":
            return f"{self.name} {self.version} (built-in)"
        return f"file {self.path}" if self.kind == "file" else f"distribution {self.name} {self.version}"


@dataclass(frozen=True)
class BrokenPlugin:
    """A distribution, or one hook of it, that could not be used, and why in one line."""

    source: Source
    error: str

    def __str__(self) -> str:
        return f"{self.source}: {self.error}"


def one_line(error: BaseException) -> str:
    """Tell an exception in one line; what was meant for a user needs no type."""
    if isinstance(error, UserError):
        return str(error)
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def place(error: BaseException, path: str) -> Location | str:
    """Return where in the file at ``path`` an exception comes from, or the path where it does not say."""
    if isinstance(error, SyntaxError) and error.filename == path and error.lineno:
        return Location(path, error.lineno, error.offset or 1)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == path and frame.lineno:
            return Location(path, frame.lineno, (frame.colno or 0) + 1)
    return path


def import_file(path: Path) -> tuple[ModuleType, Source]:
    """Run a one-file plug-in as a module of its own; UserError with file:line where it cannot be read or run.

    The module's name carries a hash of path and content: two files that share a stem stay apart, and the same file
    is run once however often a registry is loaded.
    """
    location = str(path)
    try:
        code = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the plug-in file: {error.strerror}", location) from error
    digest = hashlib.sha256(code).hexdigest()
    source = Source("file", path.name, path=location, sha256=digest)
    name = f"{PROJECT}_file_{hashlib.sha256(location.encode() + code).hexdigest()[:16]}"
    if name not in sys.modules:
        _run(name, code, location)
    return sys.modules[name], source


def _run(name: str, code: bytes, location: str) -> None:
    module = ModuleType(name)
    module.__file__ = location
    sys.modules[name] = module  # dataclasses look their module up while they are being made
    try:
        # Not through an import-system loader: its byte-code cache goes by time stamp, and would be written beside
        # the user's file.
        exec(compile(code, location, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - the user asked for it
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UserError(f"the plug-in file fails: {one_line(error)}", place(error, location)) from error


def distribution_of(entry_point: metadata.EntryPoint) -> Source:
    """Return the source of an entry point without importing it."""
    dist = entry_point.dist
    return Source("distribution", dist.name, dist.version) if dist else Source("distribution", entry_point.name)


def import_distribution(entry_point: metadata.EntryPoint) -> tuple[object, Source]:
    """Import what an entry point names. Raises whatever that raises."""
    plugin, source = entry_point.load(), distribution_of(entry_point)
    direct_url = entry_point.dist.read_text("direct_url.json") if entry_point.dist else None
    if not direct_url or not json.loads(direct_url).get("dir_info", {}).get("editable"):
        return plugin, source
    file = Path(sys.modules[entry_point.module.partition(".")[0]].__file__ or "")
    root = file.parent if file.name == "__init__.py" else file
    return plugin, Source("distribution", source.name, source.version, str(root), _code_sha256(root))


def _code_sha256(root: Path) -> str:
    """Hash the Python files below a package, or the one file of a module: names and contents."""
    digest = hashlib.sha256()
    for file in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
        digest.update(f"{file.relative_to(root).as_posix()}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
