"""Runs over a dask cluster end where a serial run does: on one machine, on several hosts, and whatever is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from soak.runs import children, ended, start, wait_for, wait_until_gone
from tests.builtin.executors.dask.certificates import certificates
from tests.builtin.executors.dask.machines import PATIENCE, Machines, wait_until
from unlearnbench.builtin.executors.dask.executor import DaskExecutor
from unlearnbench.core.errors import UserError

if TYPE_CHECKING:
    from tests.run.conftest import Lab, Ran

pytest.importorskip("distributed")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="processes end by their group")]

Findings = Callable[["Ran"], dict[str, object]]
SOON = {
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "20s",
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "60s",
}
"""After how long a silent host counts as lost."""
WAITS = """
import time

from unlearnbench import AttackPlugin, ScoreAttack, hookimpl

class Waits(ScoreAttack):
    def score(self, view):
        time.sleep(3600)

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="waits", summary="Does not end.", factory=Waits)
"""


def endless(lab: Lab) -> dict[str, Any]:
    """Return what makes the tiny suite one that does not end by itself: whatever ends it comes in the middle."""
    return {"attacks": ["sorted-diff", "waits"], "plugins": [lab.plugin(WAITS)]}


def entries(store: Path) -> int:
    return sum(1 for _ in store.glob("[ec]*/*/*"))


@pytest.fixture
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    folder = tmp_path_factory.mktemp("machines")
    made = Machines(folder, tls=certificates(folder / "tls"))
    yield made
    made.end()


def executor_of(machines: Machines) -> DaskExecutor:
    assert machines.tls is not None
    return DaskExecutor("", str(machines.file), *machines.tls, patience=PATIENCE)


def test_an_own_cluster_gives_the_bits_of_a_serial_run(lab: Lab, findings: Findings, tiny: Ran) -> None:
    assert findings(lab.run(only=(), executor=DaskExecutor(patience=PATIENCE))) == findings(tiny)


def test_a_run_whose_scheduler_is_killed_is_resumed(
    lab: Lab, findings: Findings, tiny: Ran, machines: Machines
) -> None:
    scheduler = machines.scheduler()
    machines.worker()

    def kill() -> None:
        wait_until(lambda: entries(lab.folder / "store") > 1)
        machines.kill(scheduler)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(UserError, match="the scheduler is gone; what is done is stored, and the same command goes on"):
        lab.run(only=(), executor=executor_of(machines), **endless(lab))
    killer.join()
    done = {file: file.stat().st_mtime_ns for file in (lab.folder / "store").glob("[ec]*/*/*")}
    assert done
    assert findings(lab.run(only=())) == findings(tiny)
    assert {file: file.stat().st_mtime_ns for file in done} == done


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_ends_its_cluster_and_says_what_is_kept(lab: Lab, stop: signal.Signals) -> None:
    store = lab.folder / "store"
    command = [sys.executable, "-m", "unlearnbench", "run", str(lab.write(**endless(lab))), "--store", str(store)]
    run = subprocess.Popen(  # noqa: S603 - our own
        [*command, "--executor", "dask"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: entries(store) > 1 or run.poll() is not None)
    run.send_signal(stop)
    _, said = run.communicate(timeout=PATIENCE)
    assert run.returncode == 128 + stop
    assert "cells are kept in" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_killed_of_a_running_cluster_the_rest_is_kept_and_resumed(
    lab: Lab, findings: Findings, tiny: Ran, machines: Machines, seed: int
) -> None:
    """The scheduler, a worker, the child of one, or the runner is killed, five times; what is gone is started again."""
    rng = random.Random(seed)  # noqa: S311 - any moment will do
    suite, store = lab.write(), lab.folder / "store"
    tls = dict(zip(("ca", "cert", "key"), machines.tls or (), strict=True))
    told = {"scheduler_file": machines.file, **tls, "patience": PATIENCE}
    chosen = "dask:" + ",".join(f"{name}={value}" for name, value in told.items())
    scheduler, workers = machines.scheduler(), [machines.worker(), machines.worker()]
    for _ in range(5):
        run = start(suite, store, "--executor", chosen)
        wait_for(run, store, rng.randint(0, 6))
        time.sleep(rng.random() * 0.1)
        seen, family = entries(store), children(run.pid)
        what = rng.choice(["scheduler", "worker", "child", "runner"])
        if what == "runner":
            run.kill()
        elif what == "child":
            kill_one(children(rng.choice(workers).pid), rng)
        elif what == "worker":
            machines.kill(workers.pop(rng.randrange(2)))
            workers.append(machines.worker())
        else:
            machines.kill(scheduler)
        said = ended(run)
        expected = {"scheduler": (0, 2), "runner": (0, -signal.SIGKILL)}
        assert run.returncode in expected.get(what, (0, 1)), f"{what}: {said}"
        assert "Traceback" not in said
        assert entries(store) >= seen, "what was stored stays"
        wait_until_gone(family)
        if what == "scheduler":
            wait_until_gone([worker.pid for worker in workers])
            machines.file.unlink()
            scheduler, workers = machines.scheduler(), [machines.worker(), machines.worker()]
    last = start(suite, store, "--executor", chosen)
    assert (ended(last), last.returncode) == ("", 0)
    assert findings(lab.run(only=())) == findings(tiny)


def kill_one(pids: Sequence[int], rng: random.Random) -> None:
    if pids:
        with suppress(ProcessLookupError):
            os.kill(rng.choice(pids), signal.SIGKILL)


@dataclass(frozen=True)
class Hosts:
    """Hosts of an own network: namespaces, each linked to a bridge of this one."""

    name: str
    n: int

    def start(self) -> None:
        """Make them; CalledProcessError where this is not allowed."""
        ip("link", "add", self.name, "type", "bridge")
        ip("addr", "add", f"{self.address(0)}/24", "dev", self.name)
        ip("link", "set", self.name, "up")
        for host in range(1, self.n + 1):
            ip("netns", "add", self.host(host))
            ip("link", "add", self.link(host), "type", "veth", "peer", "name", "eth0", "netns", self.host(host))
            ip("link", "set", self.link(host), "master", self.name, "up")
            ip("-n", self.host(host), "addr", "add", f"{self.address(host)}/24", "dev", "eth0")
            ip("-n", self.host(host), "link", "set", "eth0", "up")
            ip("-n", self.host(host), "link", "set", "lo", "up")

    def end(self) -> None:
        """Remove them, or what there is of them."""
        for host in range(1, self.n + 1):
            ip("netns", "del", self.host(host), check=False)
        ip("link", "del", self.name, check=False)

    def cut_off(self, host: int) -> None:
        """Take down the link of a host: packets are lost, and nobody is told."""
        ip("link", "set", self.link(host), "down")

    def host(self, host: int) -> str:
        return f"{self.name}h{host}"

    def link(self, host: int) -> str:
        return f"{self.name}l{host}"

    def address(self, host: int) -> str:
        """Return the address of a host; 0 is this one."""
        return f"10.231.{os.getpid() % 250}.{host + 1}"

    def within(self, host: int, hidden: Path) -> list[str]:
        """Return what runs a command on a host, on which a folder is empty."""
        hiding = 'mount -t tmpfs none "$0" && exec "$@"'
        return ["ip", "netns", "exec", self.host(host), "sh", "-c", hiding, str(hidden)]


def ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True)  # noqa: S603, S607 - words of this file


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    made = Hosts(f"ul{os.getpid() % 10**6}", 3)
    try:
        made.start()
        yield made
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no network namespaces can be made here: {error}")
    finally:
        if sys.platform == "linux":
            made.end()


def test_hosts_that_are_cut_off_or_killed_cost_nothing_and_share_no_files(
    lab: Lab, findings: Findings, tiny: Ran, machines: Machines, hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three hosts under TLS; the folder with suite and store is empty on them. The first two are lost in the middle."""
    machines.scheduler(host=hosts.address(0), environ=SOON)
    _, second, _ = [
        machines.worker(host=hosts.address(host), within=hosts.within(host, lab.folder), environ=SOON)
        for host in (1, 2, 3)
    ]
    store, seen = lab.folder / "store", list[str]()

    def disturb() -> None:
        wait_until(lambda: entries(store) >= 2)
        hosts.cut_off(1)
        seen.append("cut off")
        wait_until(lambda: entries(store) >= 8)
        machines.kill(second)
        seen.append("killed")

    disturber = threading.Thread(target=disturb)
    disturber.start()
    ran = lab.run(only=(), executor=executor_of(machines))
    disturber.join()
    assert seen == ["cut off", "killed"]
    assert findings(ran) == findings(tiny)
