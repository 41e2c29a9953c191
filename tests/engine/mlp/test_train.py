from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearnbench.core.records import Order, Provenance, Records, Step, TrainingSet
from unlearnbench.engine import jit
from unlearnbench.engine.batches import batches, shuffled
from unlearnbench.engine.deltas import Base

if not jit.usable():
    pytest.skip("numba has no wheel for this platform", allow_module_level=True)

from unlearnbench.engine.mlp.layout import aligned, initial_layers, padded_rows
from unlearnbench.engine.mlp.optimizer import Optimizer, apply_step
from unlearnbench.engine.mlp.simd import register
from unlearnbench.engine.mlp.train import in_threads, next_batch

register()
RECORDS = Records("r", np.arange(80.0)[:, None], np.zeros(80, dtype=np.int64), 2, Provenance("", ""))


def kernel_batches(base: TrainingSet, data: TrainingSet, size: int, seed: int = 1, epoch: int = 0) -> list[list[int]]:
    """Return the ids of the kernel's batches."""
    status, rows = Base(base).row_status(data), np.zeros(size, np.int64)
    assert status is not None
    order = shuffled(base.ids, seed, epoch).astype(np.int32)
    begin, found = 0, []
    while begin < len(order):
        count, begin = next_batch(order, status, begin, size, rows)
        found.append(base.ids[rows[:count]].tolist())
    return [batch for batch in found if batch]


@given(st.permutations(range(80)), st.data(), st.integers(1, 90), st.sampled_from(["slot", "compact", "fresh"]))
@settings(deadline=None)
def test_the_batches_of_the_kernel_are_those_of_the_reference(
    ids: list[int], data: st.DataObject, size: int, order: Order
) -> None:
    base = TrainingSet.of(RECORDS, ids[: data.draw(st.integers(1, 80))])
    removed = [data.draw(st.sets(st.sampled_from(base.ids.tolist()))) for _ in range(2)]
    after = base.after(Step(np.array(list(removed[0]), dtype=np.int64)), order)
    after = after.after(
        Step(np.array(list(removed[1]), dtype=np.int64)), data.draw(st.sampled_from(["slot", "compact"]))
    )
    assert kernel_batches(base, after, size) == [after.kept_ids[rows].tolist() for rows in batches(after, 1, 0, size)]


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("adam", [True, False])
def test_steps_are_those_of_torchs_optimizers(adam: bool, decay: float) -> None:
    import torch

    rng = np.random.default_rng(0)
    start, slopes = rng.normal(size=32).astype("f4"), rng.normal(size=(6, 32)).astype("f4")
    ours = Optimizer(adam, 0.01, decay)
    state = aligned(ours.copies * 48)
    state[16:48] = start
    theirs = torch.nn.Parameter(torch.from_numpy(start.copy()))
    optimizer = (torch.optim.Adam if adam else torch.optim.SGD)([theirs], lr=0.01, weight_decay=decay)
    for step, slope in enumerate(slopes, 1):
        apply_step(ours, state, 48, 16, 48, slope, step)
        theirs.grad = torch.from_numpy(slope)
        optimizer.step()
    np.testing.assert_allclose(state[16:48], theirs.detach(), rtol=2e-6, atol=1e-7)
    assert not state[:16].any()


@pytest.mark.parametrize("widths", [(1, 1), (14, 2), (16, 17, 5), (33, 4, 64, 3)])
@pytest.mark.parametrize("batch_size", [1, 15, 16, 40, 64])
def test_a_step_writes_nowhere_but_in_its_workspace_and_its_state(
    widths: tuple[int, ...], batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiled code checks no bounds, so all arrays get margins that must stay as they are, whatever they hold."""
    from unlearnbench.engine.mlp import layout, passes, train

    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(40, widths[0])), rng.integers(0, widths[-1], 40)
    orders = np.array([rng.permutation(40) for _ in range(2)], dtype=np.int32)
    status = np.where(np.arange(40) % 9, 2, 1).astype(np.uint8)

    def answer(margin: float) -> tuple[bytes, list[np.ndarray]]:
        made = []

        def walled(size: int) -> np.ndarray:
            made.append(np.full(size + 256, margin, dtype=np.float32))
            made[-1][128:-128] = 0
            return made[-1][128:-128]

        for module in (train, layout, passes):
            monkeypatch.setattr(module, "aligned", walled)
        inputs = train.TrainingInputs(initial_layers(widths, 0), padded_rows(x), labels, status, orders)
        found = train.fit(inputs, Optimizer(True, 0.01, 0.0), batch_size).parameters.tobytes()
        return found, [np.append(wall[:128], wall[-128:]) for wall in made]

    found, walls = answer(3.0)
    assert len(walls) >= 7
    assert all((wall == 3).all() for wall in walls)
    assert answer(np.nan)[0] == found


@pytest.mark.parametrize("threads", ["1", "3", "", "four"])
def test_work_is_done_in_order_by_any_number_of_threads(threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert in_threads(lambda i: i * i, range(20)) == [i * i for i in range(20)]
