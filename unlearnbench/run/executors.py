"""From what a user writes to an executor: ``serial``, ``processes:workers=4,memory=4GB``, or an object."""

from __future__ import annotations

import re

from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Executor
from unlearnbench.hooks.parameters import params_of_texts
from unlearnbench.run.instances import PluginInstances, ask, default_ref


def choose_executor(
    instances: PluginInstances,
    executor: str | Executor | None = None,
    workers: int = 1,
    memory: str = "",
    scheduler_file: str = "",
) -> Executor:
    """Return the executor to use, by default the one named ``serial``.

    ``executor`` is a name, a name with parameters (``NAME:PARAMETER=VALUE,PARAMETER=VALUE``), or an object.
    ``workers=4, memory="4GB"`` is short for ``processes:workers=4,memory=4GB``, and ``scheduler_file="FILE"`` for
    ``dask:scheduler_file=FILE``. Raises :class:`UserError` where there is no such executor or parameter, where a value
    is wrong, or where a short form comes with another or with an executor.
    """
    if scheduler_file:
        if executor is not None or workers != 1 or memory:
            example = f"dask:scheduler_file={scheduler_file}"
            raise UserError(
                f'scheduler_file is short for the executor "{example}"; give no other, no workers, no memory'
            )
        return _make("dask", {"scheduler_file": scheduler_file}, instances)
    if executor is not None and (workers != 1 or memory):
        example = f"processes:workers={max(workers, 2)}" + (f",memory={memory}" if memory else "")
        raise UserError(f'workers and memory are short for the executor "{example}"; give them or an executor')
    if memory and workers == 1:
        raise UserError("memory limits the number of workers; give workers too, 2 or more")
    if isinstance(executor, Executor):
        return executor
    if executor is not None:
        return _named(executor, instances)
    if workers == 1:
        return _make("serial", {}, instances)
    return _make("processes", {"workers": workers, "memory": memory}, instances)


def _named(text: str, instances: PluginInstances) -> Executor:
    name, _, listed = text.partition(":")
    registered = instances.registry.get("executor", name)
    texts = {}
    for part in re.split(r",(?=\w+=)", listed) if listed else []:  # a comma within a value is not followed by a name
        parameter, equals, value = part.partition("=")
        if not equals:
            raise UserError(f'executor "{text}": "{part}" must be PARAMETER=VALUE, as in processes:workers=4')
        texts[parameter] = value
    return _make(name, params_of_texts(registered, texts), instances)


def _make(name: str, params: dict[str, object], instances: PluginInstances) -> Executor:
    ref = default_ref(instances.registry, "executor", name, params)
    return ask(ref, lambda: instances.make(ref, Executor))
