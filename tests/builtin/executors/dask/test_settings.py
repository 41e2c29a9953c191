"""What dask itself would say does not reach the user."""

from __future__ import annotations

import asyncio
import gc
import sys

import pytest

from unlearnbench.builtin.executors.dask.cluster import Cluster

pytest.importorskip("distributed")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there a cluster is started on this machine")


async def fail_unasked() -> None:
    """Start a task that fails, and ask nobody for its error: so dask's own end where a scheduler is lost."""

    async def fail() -> None:
        raise RuntimeError

    task = asyncio.ensure_future(fail())
    await asyncio.sleep(0.01)
    assert task.done()


@pytest.mark.parametrize("silent", [True, False])
def test_a_task_whose_error_nobody_asks_for_is_not_told(silent: bool, caplog: pytest.LogCaptureFixture) -> None:
    cluster = Cluster.local(workers=1, dashboard=False)
    try:
        client = cluster._client  # nothing else shows its loop
        if not silent:
            client.loop.asyncio_loop.set_exception_handler(None)  # as dask leaves it: the test would see it
        client.sync(fail_unasked)
        gc.collect()
    finally:
        cluster.close()
    told = [record for record in caplog.records if record.name == "asyncio"]
    assert bool(told) is not silent
