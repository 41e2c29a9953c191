"""The executors that come with the package."""

from __future__ import annotations

from collections.abc import Iterator

from unlearnbench.hooks.records import ExecutorPlugin
from unlearnbench.hooks.specs import hookimpl


@hookimpl
def unlearnbench_executors() -> Iterator[ExecutorPlugin]:
    """Yield the executors."""
    yield ExecutorPlugin(
        name="serial",
        summary="One piece of work after the other, in this process",
        factory="unlearnbench.builtin.executors.serial:SerialExecutor",
    )
    yield ExecutorPlugin(
        name="processes",
        summary="Several worker processes on this machine",
        factory="unlearnbench.builtin.executors.processes:ProcessExecutor",
    )
    yield ExecutorPlugin(
        name="dask",
        summary="The workers of a dask cluster, on this machine or on many",
        factory="unlearnbench.builtin.executors.dask.executor:DaskExecutor",
    )
