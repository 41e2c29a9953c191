"""Reads the entries of a suite's lists: plug-ins with parameters, data sets with sizes, exclusions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from unlearnbench.core.errors import UserError, did_you_mean
from unlearnbench.core.hashing import canonical_json
from unlearnbench.core.messages import shown
from unlearnbench.core.pools import SIZES, EpisodeSizes, size_fault
from unlearnbench.core.references import REFERENCE_SIZES, ReferenceSizes
from unlearnbench.hooks.parameters import Parameter, ParameterError, parameters, resolve
from unlearnbench.hooks.records import Kind
from unlearnbench.hooks.registry import Registered, Registry
from unlearnbench.suite.keys import SHADOWED
from unlearnbench.suite.model import AXES, Axis, DatasetRef, Exclusion, PluginRef
from unlearnbench.suite.node import Node
from unlearnbench.suite.yaml import plain_scalar

Ranges = Mapping[str, tuple[int, int]]
"""Least and most of sizes by name."""
ADVERSARY_SIZES: Ranges = {**SIZES, **REFERENCE_SIZES}
"""Those of the sizes that the key ``adversary`` may give."""


@dataclass(frozen=True)
class Sizes:
    """The sizes that a suite or an entry for a data set gives; it may omit some."""

    episodes: Mapping[str, int]
    adversary: Mapping[str, int]
    """Also the sizes of :class:`~unlearnbench.core.references.ReferenceSizes`."""

    @classmethod
    def read(cls, fields: Mapping[str, Node]) -> Sizes:
        """Read the keys ``episodes`` and ``adversary`` of a suite or of an entry for a data set."""
        ranges = {"episodes": SIZES, "adversary": ADVERSARY_SIZES}
        return cls(*(_sizes(fields[key], ranges[key]) if key in fields else {} for key in ranges))


def _sizes(node: Node, ranges: Ranges) -> dict[str, int]:
    return {name: _size(name, size, ranges) for name, size in node.fields(ranges).items()}


def _size(name: str, node: Node, ranges: Ranges) -> int:
    if fault := size_fault(name, node.value, ranges):
        node.fail(f"{fault}, got {shown(node.value)}")
    return cast(int, node.value)


def read_datasets(node: Node, registry: Registry, suite: Sizes) -> tuple[DatasetRef, ...]:
    """Read the data sets. The sizes of an entry override those of the suite.

    The shadow side has the sizes of the target side, except those in ``adversary``, which also says how many reference
    models there are. Entries of one data set that differ
    only in sizes need a ``label``.
    """
    entries = node.items("data sets")
    datasets = [_dataset(entry, registry, suite) for entry in entries]
    refuse_repeats(entries, [dataset.label for dataset in datasets])
    return tuple(datasets)


def _dataset(node: Node, registry: Registry, suite: Sizes) -> DatasetRef:
    fields = _entry(node, "dataset", ("label", "shadow", "episodes", "adversary"))
    own = Sizes.read(fields)
    ref = _with_shadow(fields, "dataset", registry)
    label = fields["label"].text() if "label" in fields else ref.label
    target = {**suite.episodes, **own.episodes}
    adversary = {**suite.adversary, **own.adversary}
    shadow = {**target, **{name: size for name, size in adversary.items() if name in SIZES}}
    references = {name: size for name, size in adversary.items() if name in REFERENCE_SIZES}
    return DatasetRef(
        ref.kind,
        ref.name,
        ref.params,
        label,
        ref.shadow,
        episodes=EpisodeSizes(**target),
        adversary=EpisodeSizes(**shadow),
        references=ReferenceSizes(**references),
        named="label" in fields,
    )


def read_refs(node: Node, kind: Kind, registry: Registry) -> tuple[PluginRef, ...]:
    """Read a list of plug-ins of one kind, each a name or a mapping with name and params (a model: and shadow)."""
    entries = node.items(f"{kind}s")
    more = ("shadow",) if kind in SHADOWED else ()
    refs = [_with_shadow(_entry(entry, kind, more), kind, registry) for entry in entries]
    refuse_repeats(entries, [ref.label for ref in refs])
    return tuple(refs)


def refuse_repeats(nodes: Iterable[Node], labels: Iterable[object]) -> None:
    """Raise UserError for the first entry that equals an earlier one."""
    first: dict[object, Node] = {}
    for node, label in zip(nodes, labels, strict=True):
        if label in first:
            line = node.document.where(first[label].path).line
            node.fail(f"{label} is listed twice, first in line {line}; keep one of them")
        first[label] = node


def _entry(node: Node, kind: Kind, more: tuple[str, ...] = ()) -> dict[str, Node]:
    if isinstance(node.value, str):
        return {"name": node}
    if not isinstance(node.value, dict):
        node.fail(f"must be the name of one of the {kind}s, or name and params, got {shown(node.value)}")
    return node.fields(("name", "params", *more), required=("name",))


def _with_shadow(fields: Mapping[str, Node], kind: Kind, registry: Registry) -> PluginRef:
    """Read an entry, with the plug-in that the adversary uses instead, if it is given."""
    ref = _ref(fields, kind, registry)
    if "shadow" not in fields:
        return ref
    shadow = _ref(_entry(fields["shadow"], kind), kind, registry)
    if shadow.label == ref.label:
        fields["shadow"].fail(f"the adversary uses {shadow.label} anyway; leave this key out")
    return replace(ref, label=f"{ref.label}, shadow {shadow.label}", shadow=shadow)


def _ref(fields: Mapping[str, Node], kind: Kind, registry: Registry) -> PluginRef:
    name = fields["name"].text()
    try:
        registered = registry.get(kind, name)
        known = parameters(registered.load())
    except UserError as error:
        fields["name"].fail(str(error))
    params = _params(fields, registered, known)
    return PluginRef(kind, name, params, _label(name, params, known))


def ref_of(kind: Kind, name: str, params: Mapping[str, object], registry: Registry) -> PluginRef:
    """Return a plug-in with these parameters, labelled as in a suite file; ParameterError for one that is wrong."""
    registered = registry.get(kind, name)
    resolved = resolve(registered, params)
    return PluginRef(kind, name, resolved, _label(name, resolved, parameters(registered.load())))


def _params(fields: Mapping[str, Node], registered: Registered, known: Iterable[Parameter]) -> dict[str, object]:
    node = fields.get("params")
    given = {key: value.value for key, value in node.mapping().items()} if node else {}
    try:
        return resolve(registered, given)
    except ParameterError as error:
        unknown = bool(error.parameter) and error.parameter[0] not in {parameter.name for parameter in known}
        (node or fields["name"]).fail(error.message, at=error.parameter, key=unknown)


def _label(name: str, params: Mapping[str, object], known: Iterable[Parameter]) -> str:
    defaults = {parameter.name: parameter.default for parameter in known if not parameter.required}
    changed = [key for key in sorted(params) if key not in defaults or params[key] != defaults[key]]
    return f"{name}({', '.join(f'{key}={_brief(params[key])}' for key in changed)})" if changed else name


def _brief(value: object) -> str:
    """Write a value as in a suite file: words without quotes, others as JSON."""
    bare = isinstance(value, str) and re.fullmatch(r"[\w.-]+", value) and plain_scalar(value) == value
    return str(value) if bare else canonical_json(value)


def read_exclusions(node: Node, listed: Mapping[Kind, Iterable[PluginRef]]) -> tuple[Exclusion, ...]:
    """Read the rules for cells that are not run; each names plug-ins that the suite lists, and a reason."""
    known = {axis: {ref.name for ref in listed[axis]} for axis in AXES}
    return tuple(_exclusion(rule, known) for rule in node.items("rules"))


def _exclusion(node: Node, known: Mapping[Axis, set[str]]) -> Exclusion:
    fields = node.fields((*AXES, "because"), required=("because",))
    names: dict[Axis, str] = {}
    for axis in AXES:
        if axis in fields:
            names[axis] = _listed(fields[axis], axis, known[axis])
    if not names:
        node.fail(f"must name the cells to leave out by one of {', '.join(AXES)}")
    return Exclusion(names, fields["because"].text())


def _listed(node: Node, axis: Axis, names: Iterable[str]) -> str:
    name = node.text()
    if name not in names:
        node.fail(f"the suite lists no {axis} {shown(name)}{did_you_mean(name, names)}")
    return name
