"""A disk that takes no more, or that may not be written to, ends a run in one line; what was stored stays."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from soak import runs
from soak.disturbances import fill_the_disk
from unlearnbench.run.store import Store

if TYPE_CHECKING:
    from tests.run.conftest import Lab, Ran

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="disks are made full and read-only by Linux's means")

SELECTED = ("--only", "unlearner=retrain", "--only", "attack=random")
WORKERS = ("1", pytest.param("2", marks=pytest.mark.slow))
NEW_MOUNTS, PRIVATE, DROP_CAPABILITY = 0x20000, 0x44000, 24
MAY_WRITE_ANYWHERE = 1


def ended(suite: Path, store: Path, *options: str, before: Callable[[], object] | None = None) -> tuple[int, str]:
    """Run to the end; return the exit code and what was complained about."""
    run = runs.start(suite, store, *SELECTED, *options, before=before)
    _, said = run.communicate(timeout=300)
    return run.returncode, said


@pytest.fixture(scope="module")
def undisturbed(lab_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    lab: Lab = lab_in(tmp_path_factory.mktemp("undisturbed"))
    return lab.run(only=SELECTED[1::2])


@pytest.mark.parametrize("workers", WORKERS)
def test_a_full_disk_ends_a_run_in_one_line_and_the_next_goes_on(lab: Lab, undisturbed: Ran, workers: str) -> None:
    suite, store = lab.write(), lab.folder / "store"
    code, said = ended(suite, store, "--workers", workers, before=fill_the_disk)
    assert code == 2
    assert said.splitlines()[-1].startswith("error: ")
    assert said.endswith(": cannot write to the store: File too large; mend that, or give another store\n")
    assert [*(store / "tmp").iterdir()] == []
    assert ended(suite, store, "--workers", workers) == (0, "")
    assert runs.differences(undisturbed.store, Store(store)) == []


def mount_a_small_disk(place: Path, kilobytes: int) -> Callable[[], None]:
    """Return what mounts a disk that only its process and its children see; OSError where it may not."""

    def mount() -> None:
        c = ctypes.CDLL(None)
        mounted = (
            c.unshare(NEW_MOUNTS) == 0
            and c.mount(b"none", b"/", None, PRIVATE, None) == 0
            and c.mount(b"tmpfs", str(place).encode(), b"tmpfs", 0, f"size={kilobytes}k".encode()) == 0
        )
        if not mounted:
            raise OSError("no disk can be mounted")

    return mount


def test_a_disk_without_space_ends_a_run_in_one_line(lab: Lab) -> None:
    store = lab.folder / "store"
    store.mkdir()
    try:
        code, said = ended(lab.write(), store, before=mount_a_small_disk(store, 16))
    except subprocess.SubprocessError:
        pytest.skip("this process may not mount a disk")
    assert [*store.iterdir()] == [], "all was on the small disk"
    assert (code, said) == (
        2,
        f"error: {store}: cannot write to the store: No space left on device; mend that, or give another store\n",
    )


def obey_permissions() -> None:
    """Let root's processes write only where the permissions of a folder allow it, as everybody else's."""
    ctypes.CDLL(None).prctl(DROP_CAPABILITY, MAY_WRITE_ANYWHERE, 0, 0, 0)


@pytest.mark.parametrize("workers", WORKERS)
def test_a_store_that_may_not_be_written_to_is_told_and_stays(lab: Lab, workers: str) -> None:
    suite, store = lab.write(), lab.folder / "store"
    assert ended(suite, store)[0] == 0
    folders = [store, *(each for each in store.rglob("*") if each.is_dir())]
    before = {each: each.stat() for each in store.rglob("*")}
    for folder in folders:
        folder.chmod(0o555)
    try:
        code, said = ended(suite, store, "--workers", workers, "--rerun", "all", before=obey_permissions)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert (code, said) == (
        2,
        f"error: {store}: cannot write to the store: Permission denied; mend that, or give another store\n",
    )
    kept = {each: (found.st_mtime_ns, found.st_size) for each, found in before.items()}
    assert {each: (each.stat().st_mtime_ns, each.stat().st_size) for each in store.rglob("*")} == kept
