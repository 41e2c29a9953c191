from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from unlearnbench.builtin.models.mlp.fitted import network
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.models.mlp.private import clipped_sum
from unlearnbench.builtin.unlearners.exact.retrain import Retrain
from unlearnbench.core.models import Engine, FitTask, HasPrivacy, Seeds
from unlearnbench.core.options import DPSGD, TrainingOptions
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.batches import poisson_batches
from unlearnbench.engine.jit import usable
from unlearnbench.engine.networks.modules import HasModule
from unlearnbench.engine.networks.training import OptimizerName

if TYPE_CHECKING:
    from tests.builtin.models.conftest import Blobs


kernels = pytest.mark.skipif(not usable(), reason="numba has no wheel for this platform")
SMALL = MLP(hidden=(8,), epochs=2, batch_size=16)
NOISY = TrainingOptions(dp=DPSGD(noise_multiplier=1.2, clip=0.5, delta=1e-5))


def weights(fitted: Any) -> np.ndarray:
    return np.concatenate([each.detach().numpy().ravel() for each in fitted.module.parameters()])


def engines() -> list[Any]:
    return [pytest.param("fit"), pytest.param("fit_many", marks=kernels)]


def train(engine: str, task: FitTask, model: MLP = SMALL) -> Any:
    return model.fit(task, "cpu") if engine == "fit" else model.fit_many([task], "cpu")[0]


def private(blobs: Blobs, seeds: Seeds, options: TrainingOptions = NOISY) -> FitTask:
    return FitTask(TrainingSet.of(blobs(), np.arange(120)), seeds, options=options)


# Opacus hooks into torch in ways that torch tells its users to leave.
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("clip", [0.05, 0.5, 100.0])
def test_clipped_gradients_are_those_of_opacus(clip: float) -> None:
    import torch

    GradSampleModule = pytest.importorskip("opacus").GradSampleModule
    module, generator = network((5, 16, 8, 3), 1), torch.Generator().manual_seed(0)
    x, y = torch.randn(20, 5, generator=generator), torch.randint(3, (20,), generator=generator)
    ours = clipped_sum(module, x, y, clip)
    sampled = GradSampleModule(module, loss_reduction="sum")
    torch.autograd.backward(torch.nn.functional.cross_entropy(sampled(x), y, reduction="sum"))
    each = torch.cat([parameter.grad_sample.flatten(1) for parameter in sampled.parameters()], dim=1)
    theirs = (each * (clip / each.norm(dim=1, keepdim=True)).clamp(max=1)).sum(dim=0)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("engine", engines())
def test_without_noise_or_clipping_a_batch_of_all_is_plain_descent(engine: str, blobs: Blobs, seeds: Seeds) -> None:
    model = MLP(hidden=(8,), epochs=3, batch_size=500, optimizer="sgd", learning_rate=0.1, weight_decay=0.01)
    task = private(blobs, seeds, TrainingOptions(dp=DPSGD(0.0, 1e6, 1e-5)))
    plain = train(engine, replace(task, options=TrainingOptions()), model)
    np.testing.assert_allclose(weights(train(engine, task, model)), weights(plain), atol=1e-6)


@kernels
@pytest.mark.parametrize("clip", [0.05, 0.5, 100.0])
@pytest.mark.parametrize(("optimizer", "rate", "decay"), [("adam", 1e-3, 0.0), ("sgd", 0.1, 0.01)])
@pytest.mark.parametrize("hidden", [(), (5, 7), (64, 32)])
def test_after_an_epoch_both_engines_agree(
    hidden: tuple[int, ...],
    optimizer: OptimizerName,
    rate: float,
    decay: float,
    clip: float,
    blobs: Blobs,
    seeds: Seeds,
) -> None:
    model = MLP(hidden=hidden, epochs=1, optimizer=optimizer, learning_rate=rate, weight_decay=decay, batch_size=16)
    task = private(blobs, seeds, TrainingOptions(dp=DPSGD(1.2, clip, 1e-5)))
    task = replace(task, data=task.data.after(Step(np.array([3, 70]))))
    slow, fast = train("fit", task, model), train("fit_many", task, model)
    np.testing.assert_allclose(weights(fast), weights(slow), atol=1e-5 if clip == 100 and rate == 0.1 else 1e-6)


@pytest.mark.parametrize("engine", engines())
def test_a_batch_without_records_is_a_step_of_noise(engine: str, blobs: Blobs, seeds: Seeds) -> None:
    begin = private(blobs, seeds)
    first = train(engine, begin)
    nobody = replace(begin, data=begin.data.after(Step(np.arange(120))), start=first)
    assert not np.array_equal(weights(train(engine, nobody)), weights(first))
    sparse = MLP(hidden=(8,), epochs=1, batch_size=1)
    np.testing.assert_allclose(
        weights(sparse.fit_many([begin], "cpu")[0]), weights(sparse.fit(begin, "cpu")), atol=2e-6
    )


@pytest.mark.parametrize("engine", engines())
def test_slot_and_compact_are_the_same(engine: str, blobs: Blobs, seeds: Seeds) -> None:
    task, step = private(blobs, seeds), Step(np.array([3, 70]))
    slot, compact = (replace(task, data=task.data.after(step, order)) for order in ("slot", "compact"))
    assert np.array_equal(weights(train(engine, slot)), weights(train(engine, compact)))


def test_a_deletion_leaves_every_other_record_in_its_batches(blobs: Blobs) -> None:
    data = TrainingSet.of(blobs(), np.arange(120)[::-1])
    after = data.after(Step(np.array([3, 70]), np.array([130])))

    def ids(data: TrainingSet) -> list[set[int]]:
        return [set(data.kept_ids[rows].tolist()) for rows in poisson_batches(data, 5, 50, 0.2)]

    assert [batch - {130} for batch in ids(after)] == [batch - {3, 70} for batch in ids(data)]
    assert np.mean([len(batch) for batch in ids(data)]) == pytest.approx(24, abs=2)
    assert any(130 in batch for batch in ids(after))


@kernels
def test_a_private_network_is_the_same_bits_alone_in_any_company_and_by_any_number_of_threads(
    blobs: Blobs, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = private(blobs, seeds)
    sets = [task.data, *(task.data.after(Step(np.array([i]))) for i in range(4))]
    tasks = [replace(task, data=data, seeds=replace(seeds, noise=i)) for i, data in enumerate(sets)]
    tasks.append(replace(task, options=TrainingOptions()))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    alone = [weights(train("fit_many", each)) for each in tasks]
    for threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        together = SMALL.fit_many(tasks[::-1], "cpu")[::-1]
        assert all(np.array_equal(weights(one), it) for one, it in zip(together, alone, strict=True))


@pytest.mark.parametrize("engine", engines())
def test_training_leaves_its_inputs_alone(engine: str, blobs: Blobs, seeds: Seeds) -> None:
    task = private(blobs, seeds)
    first = train(engine, task)
    x, y, before = task.data.records.x.copy(), task.data.records.y.copy(), weights(first).copy()
    train(engine, replace(task, start=first))
    assert np.array_equal(task.data.records.x, x)
    assert np.array_equal(task.data.records.y, y)
    assert np.array_equal(weights(first), before)


@pytest.mark.parametrize("engine", ["reference", "fast"])
def test_an_original_and_its_retrained_model_never_share_noise(engine: Engine, blobs: Blobs) -> None:
    """Where clipping leaves next to nothing of the records, a step of descent is the noise alone."""
    if engine == "fast" and not usable():
        pytest.skip("numba has no wheel for this platform")
    sgd = MLP(hidden=(8,), epochs=1, batch_size=500, optimizer="sgd", learning_rate=1.0)
    loud = TrainingOptions(dp=DPSGD(noise_multiplier=1e6, clip=1e-4, delta=1e-5))
    data, unlearner, seeds = TrainingSet.of(blobs(), np.arange(120)), Retrain("same", "slot"), SeedPath(1)
    original = unlearner.prepare(Original(sgd, data, seeds / "original", options=loud, engine=engine))
    steps = [Step(np.array([3])), Step(np.array([], dtype=np.int64))]  # forgetting nobody is another model too
    after = [unlearner.serve(original, step, seeds / "request" / i) for i, step in enumerate(steps)]
    noises = [weights(each.fitted) for each in (original, *after)]
    correlations = np.corrcoef(noises)[np.triu_indices(3, 1)]
    assert (np.abs(correlations) < 0.5).all()


@pytest.mark.parametrize("engine", engines())
def test_a_private_model_tells_its_epsilon_and_a_plain_one_has_none(engine: str, blobs: Blobs, seeds: Seeds) -> None:
    pytest.importorskip("opacus")
    task = private(blobs, seeds)
    first = train(engine, task)
    assert isinstance(first, HasPrivacy)
    assert isinstance(first, HasModule)
    assert 1 < first.epsilon < 20
    assert train(engine, replace(task, start=first)).epsilon > first.epsilon
    plain = train(engine, replace(task, options=TrainingOptions()))
    assert not isinstance(plain, HasPrivacy)
    assert train(engine, replace(task, start=plain)).epsilon == math.inf
    assert not isinstance(first.with_module(network((4, 8, 3), 0)), HasPrivacy)
