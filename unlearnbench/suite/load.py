"""Reads suite files. Each error is one line: ``file:line:column: what is wrong; what would be right``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, cast, get_args

from unlearnbench.core.errors import Location, UserError
from unlearnbench.core.limits import Limits
from unlearnbench.core.messages import counted, shown
from unlearnbench.engine.devices import Device
from unlearnbench.hooks.records import Kind
from unlearnbench.hooks.registry import BrokenPlugin, Registry, Source, load_registry
from unlearnbench.suite.entries import Sizes, read_datasets, read_exclusions, read_refs, refuse_repeats
from unlearnbench.suite.keys import DEFAULTS, KEYS, KINDS, MOST_SEED, MOST_VERSION, NAME, REQUIRED
from unlearnbench.suite.model import EngineChoice, PluginRef, Suite, plugin_file
from unlearnbench.suite.node import Node
from unlearnbench.suite.tune import read_trials, read_tuning
from unlearnbench.suite.yaml import load_yaml

MOST_CELLS = 10**6
"""Cells that a suite may have, with all seeds; more are taken for a typing error."""


def load_suite(
    path: Path | str,
    registry: Registry | None = None,
    *,
    plugin_files: Iterable[Path | str] = (),
    disabled: Iterable[str] = (),
    run_plugin_files: bool = False,
) -> tuple[Suite, Registry]:
    """Read and check a suite file; return it with the registry that holds its plug-ins.

    Without a ``registry`` one is loaded: built-in and installed plug-ins and ``plugin_files``, without those in
    ``disabled``. The files that the suite names are executed only with ``run_plugin_files``: a suite of others is data
    until somebody runs it. A given registry is used unchanged. :class:`UserError` where the suite is invalid, or names
    a plug-in of a file that was not executed.
    """
    path = Path(path)
    fields = _fields(path, _read(path))
    plugins = _plugins(fields["plugins"], path) if "plugins" in fields else {}
    if registry is None:
        registry = _registry(plugins, plugin_files, disabled, run_plugin_files)
    return _suite(fields, path, registry, tuple(plugins)), registry


def read_header(path: Path) -> dict[str, object]:
    """Return name, version and description of a suite file; plug-ins are neither loaded nor checked."""
    fields = _fields(path, _read(path))
    return {
        "suite": _name(fields["suite"], path),
        "version": _version(fields["version"]),
        "description": _description(fields),
    }


def named_plugins(path: Path) -> tuple[str, ...]:
    """Return the plug-in files that a suite file names, as written there; none of them is executed."""
    fields = _fields(path, _read(path))
    return tuple(_plugins(fields["plugins"], path)) if "plugins" in fields else ()


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the suite: {error.strerror or error}", str(path)) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        position = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise UserError("not UTF-8 text; save the file as UTF-8", Location(str(path), *position)) from None


def _fields(path: Path, text: str) -> dict[str, Node]:
    document = load_yaml(text, str(path))
    fields = Node(document, (), document.data).fields(KEYS, REQUIRED)
    return {key: Node(document, (key,), value) for key, value in DEFAULTS.items()} | fields


def _name(node: Node, path: Path) -> str:
    name = node.text()
    if not NAME.fullmatch(name):
        node.fail(f"a suite's name is lower-case words and digits joined by hyphens, got {shown(name)}")
    if name != path.stem:
        node.fail(f"the suite is named {shown(name)} but its file {shown(path.name)}; they must be equal")
    return name


def _version(node: Node) -> int:
    return node.integer(1, MOST_VERSION)


def _description(fields: Mapping[str, Node]) -> str:
    return fields["description"].text() if "description" in fields else ""


def _plugins(node: Node, suite: Path) -> dict[str, Node]:
    """Return the paths of plug-in files as written, each with its node."""
    entries = node.items("plug-in files")
    files = [_plugin(entry, suite) for entry in entries]
    refuse_repeats(entries, files)
    return dict(zip(files, entries, strict=True))


def _plugin(node: Node, suite: Path) -> str:
    relative = PurePosixPath(node.text())
    if relative.is_absolute() or relative.suffix != ".py":
        node.fail(f"must be a .py file given relative to the suite file, got {shown(node.value)}")
    try:
        found = plugin_file(suite, str(relative)).is_file()
    except OSError:  # a name that no file can have, such as one that is too long
        found = False
    if not found:
        node.fail(f"there is no plug-in file {shown(str(relative))} beside the suite file")
    return str(relative)


def _registry(plugins: Mapping[str, Node], more: Iterable[Path | str], disabled: Iterable[str], run: bool) -> Registry:
    files = {file: plugin_file(Path(node.document.file), file) for file, node in plugins.items()}
    if not run:
        more = [Path(file).expanduser().resolve() for file in more]
        registry, idle = load_registry(more, disabled), [file for file in files.values() if file not in more]
        return replace(registry, broken=(*registry.broken, *map(_not_run, idle)))
    try:
        return load_registry([*more, *files.values()], disabled)
    except UserError as error:
        said = f"{error.where}: {error.message}" if error.where else error.message
        for file, path in files.items():
            if str(path) in said:
                plugins[file].fail(said.replace(str(path), file))
        raise


def _not_run(file: Path) -> BrokenPlugin:
    return BrokenPlugin(Source("file", file.name, path=str(file)), "only `run` or --run-plugin-files executes it")


def _suite(fields: Mapping[str, Node], path: Path, registry: Registry, plugins: tuple[str, ...]) -> Suite:
    name = _name(fields["suite"], path)
    datasets = read_datasets(fields["datasets"], registry, Sizes.read(fields))
    refs: dict[Kind, tuple[PluginRef, ...]] = {
        kind: read_refs(fields[f"{kind}s"], kind, registry) for kind in KINDS if kind != "dataset"
    }
    suite = Suite(
        name=name,
        version=_version(fields["version"]),
        description=_description(fields),
        seeds=_seeds(fields["seeds"]),
        datasets=datasets,
        models=refs["model"],
        unlearners=refs["unlearner"],
        scenarios=refs["scenario"],
        defenses=refs["defense"],
        attacks=refs["attack"],
        metrics=refs["metric"],
        exclude=read_exclusions(fields["exclude"], refs | {"dataset": datasets}) if "exclude" in fields else (),
        tune=read_tuning(fields["tune"]) if "tune" in fields else None,
        trials=read_trials(fields["trials"]) if "trials" in fields else (),
        plugins=plugins,
        limits=_limits(fields),
        engine=cast(EngineChoice, fields["engine"].choice(get_args(EngineChoice))),
        device=cast(Device, fields["device"].choice(get_args(Device))),
        path=path,
    )
    _check_extent(suite, fields)
    return suite


def _limits(fields: Mapping[str, Node]) -> Limits:
    limits = Limits()
    for key in ("timeout", "memory"):
        if node := fields.get(key):
            value: Any = node.number() if key == "timeout" else node.text()
            try:
                limits = limits.replaced_by(**{key: value})
            except UserError as error:
                node.fail(str(error).removeprefix(f"{key}: "))
    return limits


def _seeds(node: Node) -> tuple[int, ...]:
    entries = node.items("seeds")
    seeds = [entry.integer(0, MOST_SEED) for entry in entries]
    refuse_repeats(entries, [f"the seed {seed}" for seed in seeds])
    return tuple(seeds)


def _check_extent(suite: Suite, fields: Mapping[str, Node]) -> None:
    """Refuse a grid that is empty or too large, before its cells are counted one by one."""
    full = len(suite.seeds) * math.prod(len(refs) for refs in suite.axes.values())
    if full > MOST_CELLS:
        fields["suite"].fail(f"the suite holds {counted(full, 'cell')}, and at most {MOST_CELLS:,} may be; split it")
    if suite.n_cells == 0:
        fields["exclude"].fail("these rules leave no cell of the suite; drop one")
