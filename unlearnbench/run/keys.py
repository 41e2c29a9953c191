"""Store keys of episodes and cells: what decides a result is in its key, and nothing else is.

A key is the content key of an identity, a mapping of plain data. Most of an identity is the same for many keys. So its
fields are written as JSON once and joined for each key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from unlearnbench.core.hashing import canonical_json
from unlearnbench.core.models import TargetModel
from unlearnbench.run.cells import SHARED_AXES, CellGroup, EpisodeTask, ReferenceTask
from unlearnbench.run.instances import PluginInstances, baseline_ref
from unlearnbench.suite.model import DatasetRef, PluginRef


def json_fields(identity: Mapping[str, object]) -> bytes:
    """Return the fields of an identity as canonical JSON, without the braces around them."""
    return canonical_json(identity)[1:-1].encode()


def joined_key(*fields: bytes) -> str:
    """Return the content key of the identity that has all these fields.

    Each argument comes from :func:`json_fields`. They must be given in the alphabetical order of their names.
    """
    return hashlib.sha256(b"{" + b",".join(fields) + b"}").hexdigest()


def episode_keys(task: EpisodeTask, instances: PluginInstances) -> list[str]:
    """Return the keys of all originals that a side trains as ``task`` says; its own original and key are not read."""
    sizes = asdict(task.sizes)
    del sizes["originals"]  # changes none of them: an experiment that grows keeps the episodes it has
    before = _training(task, SHARED_AXES, instances) | {"kind": "episode"} | _asked(task, "boundary", "copies")
    after = _asked(task, "population", "relearn") | {
        "records": instances.records(task.dataset).sha256,
        "seed": task.seed,
        "side": task.side,
        "sizes": sizes,
    }
    first, last = json_fields(before), json_fields(after)
    return [joined_key(first, b'"original":%d' % original, last) for original in range(task.sizes.originals)]


def _asked(task: EpisodeTask, *names: str) -> dict[str, int]:
    """Return what models are asked or do besides, where a suite wants it."""
    return {name: value for name in names if (value := getattr(task, name))}


def reference_keys(task: ReferenceTask, models: int, instances: PluginInstances) -> list[str]:
    """Return the keys of the first reference models that are trained as ``task`` says; its number and key do not count.

    More of them change none of these keys.
    """
    before = _training(task, ("dataset", "model", "unlearner"), instances) | {"kind": "reference"}
    after = {
        "per_request": task.per_request,
        "population": task.population,
        "records": instances.records(task.dataset).sha256,
        "seed": task.seed,
        "size": task.records,
        "targets": task.targets,
    }
    first, last = json_fields(before), json_fields(after)
    return [joined_key(first, b'"number":%d' % number, last) for number in range(models)]


def _training(task: EpisodeTask | ReferenceTask, axes: Iterable[str], instances: PluginInstances) -> dict[str, object]:
    """Return what models are trained by."""
    plugins = {axis: instances.identity(getattr(task, axis)) for axis in axes}
    if task.defense is not None:
        plugins["defense"] = instances.identity(task.defense)
    return {
        "axes": plugins,
        "device": task.device,
        "engine": task.engine,
        "engine_revision": instances.make(task.model, TargetModel).engine_revision,
    }


def cell_fields(
    defense: PluginRef, attack: PluginRef, instances: PluginInstances, references: Sequence[str] = ()
) -> bytes:
    """Return the fields in which cells of one group differ.

    ``references`` are the keys of the reference models that the attack needs.
    """
    refs = {"attack": attack, "baseline": baseline_ref(attack, instances), "defense": defense}
    fields = {name: instances.identity(ref) for name, ref in refs.items()}
    fields["attack"] |= {"references": references} if references else {}
    return json_fields(fields)


def group_fields(
    dataset: DatasetRef,
    target: Sequence[EpisodeTask],
    shadow: Sequence[EpisodeTask],
    metrics: Sequence[object],
    retrained: CellGroup | None = None,
    references: Sequence[ReferenceTask] = (),
) -> bytes:
    """Return the fields that all cells of a group share; ``metrics`` are the identities of the metrics, sorted.

    ``retrained`` is the group that retrains, where a metric reads it and it is not this one; ``references`` are the
    reference models that metrics read.
    """
    shared: dict[str, object] = {
        "kind": "cell",
        "metrics": metrics,
        "shadow": [task.key for task in shadow],
        "target": [task.key for task in target],
    }
    if retrained:
        shared["retrained"] = [task.key for task in retrained.episodes]
    if references:
        others = retrained.references[: retrained.references_of_metrics] if retrained else ()
        shared["references"] = [task.key for task in (*references, *others)]
    if dataset.named:  # a row of its own, even where its sizes are those of another entry
        shared["entry"] = dataset.label
    return json_fields(shared)
