"""The peak of a call is what it held over what was held before, however often and after whatever else it is done."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from unlearnbench.builtin.executors.memory import peak_memory
from unlearnbench.engine import peaks
from unlearnbench.engine.peaks import can_reset, meter_for

MB = 10**6
resets = pytest.mark.skipif(not can_reset(), reason="the peak of a process can be reset on Linux with glibc only")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Return the folder of the files that another system tells of a process."""
    for name, file in (("_STATUS", "status"), ("_CLEAR", "clear_refs")):
        monkeypatch.setattr(peaks, name, tmp_path / file)
    monkeypatch.setattr(peaks, "_earlier", [0])
    can_reset.cache_clear()
    yield tmp_path
    can_reset.cache_clear()


def hold(megabytes: int, piece: int = 20) -> None:
    """Hold memory for a moment, in pieces of so many megabytes."""
    pieces = [np.ones(piece * MB // 8) for _ in range(megabytes // piece)]
    del pieces


def peak_of(megabytes: int) -> float:
    meter = meter_for("cpu")
    meter.start()
    hold(megabytes)
    return meter.peak()


@resets
@pytest.mark.parametrize("before", [0, 20, 200])
def test_a_peak_does_not_depend_on_what_was_held_earlier(before: int) -> None:
    hold(before)
    assert peak_of(60) == pytest.approx(60 * MB, abs=3 * MB)
    assert peak_of(60) == pytest.approx(60 * MB, abs=3 * MB)


@resets
def test_small_pieces_that_the_library_keeps_are_counted_each_time() -> None:
    """The C library keeps freed memory of small pieces for the next call, which then asks the system for none."""

    def measured() -> float:
        meter = meter_for("cpu")
        meter.start()
        pieces = [np.ones(2000) for _ in range(2000)]
        del pieces
        return meter.peak()

    assert measured() == pytest.approx(32 * MB, abs=3 * MB)
    assert measured() == pytest.approx(32 * MB, abs=3 * MB)


@resets
def test_who_holds_nothing_has_no_peak() -> None:
    assert peak_of(0) < MB


@resets
def test_the_highest_memory_of_a_process_is_known_whatever_was_reset() -> None:
    hold(200)
    highest = peak_memory()
    meter_for("cpu").start()
    assert peak_memory() == highest


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_what_cannot_be_measured_is_not_a_number(device: str) -> None:
    meter = meter_for(device)
    meter.start()
    assert math.isnan(meter.peak())


def test_a_kernel_that_does_not_reset_though_it_was_told_to_is_not_believed(elsewhere: Path) -> None:
    (elsewhere / "status").write_text("VmHWM:\t 90000 kB\nVmRSS:\t 50000 kB\n")
    assert not can_reset()
    (elsewhere / "status").write_text("VmPeak: 9 kB\n")
    can_reset.cache_clear()
    assert not can_reset()


def test_a_gpu_tells_what_torch_allocates_there() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU")
    kept = torch.ones(10 * MB, dtype=torch.uint8, device="cuda")
    meter = meter_for("cuda")
    meter.start()
    held = torch.ones(64 * 2**20, dtype=torch.uint8, device="cuda")
    del held
    assert meter.peak() == 64 * 2**20
    assert len(kept) == 10 * MB
