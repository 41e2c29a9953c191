"""The networks on real images at the least scale; what all three share is tried on the quickest.

That a network is the same bits alone and in company is a check of the conformance kit.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
import torchvision
from unlearnbench import FitTask, FittedTorch, Provenance, Records, Seeds, Step, TrainingSet, UserError
from unlearnbench.core.records import Order
from unlearnbench.engine.networks.training import Precision
from unlearnbench.engine.sklearn_model import Constant

from unlearnbench_vision.densenet121 import DenseNet121
from unlearnbench_vision.images import enlarged
from unlearnbench_vision.network import Network
from unlearnbench_vision.resnet18 import ResNet18
from unlearnbench_vision.resnet50 import ResNet50

KINDS: dict[str, type[Network]] = {"resnet18": ResNet18, "resnet50": ResNet50, "densenet121": DenseNet121}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
SMALL = ResNet18(epochs=1, batch_size=8)


def task_of(records: Records, n: int, seeds: Seeds, forget: Sequence[int] = (), order: Order = "slot") -> FitTask:
    data = TrainingSet.of(records, np.arange(n))
    return FitTask(data.after(Step(np.array(forget)), order) if len(forget) else data, seeds)


def state(fitted: FittedTorch) -> np.ndarray:
    """Return all weights and running statistics."""
    return np.concatenate([values.detach().double().numpy().ravel() for values in fitted.module.state_dict().values()])


@every_kind
@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_photographs_get_normalized_float64_posteriors(
    kind: type[Network], precision: Precision, photos: Records, seeds: Seeds
) -> None:
    fitted = kind(epochs=1, batch_size=4, precision=precision).fit(task_of(photos, 4, seeds), "cpu")
    answer = fitted.log_posteriors(photos.x[:6])
    assert answer.shape == (6, 10)
    assert answer.dtype == np.float64
    np.testing.assert_allclose(np.exp(answer).sum(axis=1), 1, atol=1e-12)
    assert {values.dtype for values in fitted.module.parameters()} == {torch.float32}
    assert all(values.grad is None for values in fitted.module.parameters())


def test_it_learns_digits(digits: Records, seeds: Seeds) -> None:
    model = replace(SMALL, epochs=4, batch_size=16, precision="bf16")
    fitted = model.fit(task_of(digits, 80, seeds), "cpu")
    assert (fitted.log_posteriors(digits.x[100:200]).argmax(axis=1) == digits.y[100:200]).mean() > 0.4


@every_kind
def test_the_same_seeds_give_the_same_bits_and_global_generators_stay(
    kind: type[Network], digits: Records, seeds: Seeds
) -> None:
    before = torch.get_rng_state()
    one, two = (state(kind(epochs=1).fit(task_of(digits, 4, seeds), "cpu")) for _ in range(2))
    assert np.array_equal(one, two)
    assert torch.equal(torch.get_rng_state(), before)


def test_both_seeds_count(digits: Records, seeds: Seeds) -> None:
    each = (seeds, replace(seeds, init=5), replace(seeds, order=5))
    one, two, three = (state(SMALL.fit(task_of(digits, 9, seeds), "cpu")) for seeds in each)
    assert not np.array_equal(one, two)
    assert not np.array_equal(one, three)


def test_an_unlearned_model_differs_and_the_records_stay_as_they_were(photos: Records, seeds: Seeds) -> None:
    x = photos.x.copy()
    original, unlearned = (SMALL.fit(task_of(photos, 9, seeds, forget), "cpu") for forget in ((), (3,)))
    answers = [fitted.log_posteriors(photos.x[:5]) for fitted in (original, unlearned)]
    assert np.abs(answers[0] - answers[1]).max() > 1e-6
    assert np.array_equal(photos.x, x)
    assert np.array_equal(original.standardizer.mean, unlearned.standardizer.mean)


def test_a_deletion_moves_the_gradients_of_batch_mates_too(digits: Records, seeds: Seeds) -> None:
    """One step on one batch: without batch normalization, the models that lack one record would average to the full.

    Each record is in three of the four means over three, so the mean of these means would be the mean over all.
    """
    sgd = ResNet18(epochs=1, batch_size=4, optimizer="sgd", learning_rate=1e-2)
    full, *without = (
        np.concatenate([values.detach().numpy().ravel() for values in sgd.fit(task, "cpu").module.parameters()])
        for task in [task_of(digits, 4, seeds), *(task_of(digits, 4, seeds, [i]) for i in range(4))]
    )
    assert np.abs(np.mean(without, axis=0) - full).max() > 1e-4


@every_kind
def test_a_batch_of_one_record_is_no_trouble(kind: type[Network], digits: Records, seeds: Seeds) -> None:
    fitted = kind(epochs=1, batch_size=2).fit(task_of(digits, 3, seeds), "cpu")
    assert np.isfinite(fitted.log_posteriors(digits.x[:4])).all()


def test_an_answer_does_not_depend_on_what_is_asked_beside(digits: Records, seeds: Seeds) -> None:
    fitted = SMALL.fit(task_of(digits, 8, seeds), "cpu")
    together = fitted.log_posteriors(digits.x[:300])  # more than go through the network at once
    np.testing.assert_allclose(fitted.log_posteriors(digits.x[[290]]), together[[290]], atol=1e-5)
    assert fitted.log_posteriors(digits.x[:0]).shape == (0, 10)


def test_training_goes_on_from_a_start_and_leaves_it_alone(digits: Records, seeds: Seeds) -> None:
    first = SMALL.fit(task_of(digits, 8, seeds), "cpu")
    before = state(first)
    task = replace(task_of(digits, 12, seeds), start=first)
    second = SMALL.fit(task, "cpu")
    assert np.array_equal(state(first), before)
    assert not np.array_equal(state(second), before)
    assert second.standardizer is first.standardizer
    assert np.array_equal(state(second), state(SMALL.fit(replace(task, seeds=replace(seeds, init=9)), "cpu")))
    nothing = replace(task, data=task.data.after(Step(np.arange(12))))
    assert np.array_equal(state(SMALL.fit(nothing, "cpu")), before)
    with pytest.raises(UserError, match="a resnet50 can go on from a resnet50 only, not from resnet18"):
        ResNet50().fit(task, "cpu")
    with pytest.raises(UserError, match="not from Constant"):
        SMALL.fit(replace(task, start=Constant(0, 10)), "cpu")


def test_what_cannot_be_trained_on_is_a_user_s_error(digits: Records, seeds: Seeds) -> None:
    table = replace(digits, x=digits.x.reshape(-1, 64))
    with pytest.raises(UserError, match=r"resnet18 needs images.*not \(64,\).*take mlp"):
        SMALL.fit(task_of(table, 4, seeds), "cpu")
    with pytest.raises(UserError, match="1 or 3 channels.*not of 2"):
        SMALL.fit(task_of(replace(digits, x=digits.x.reshape(-1, 8, 4, 2)), 4, seeds), "cpu")
    with pytest.raises(UserError, match="no record left"):
        SMALL.fit(task_of(digits, 4, seeds, range(4)), "cpu")
    with pytest.raises(UserError, match="lower learning_rate"):
        ResNet18(epochs=4, batch_size=4, optimizer="sgd", learning_rate=1e38).fit(task_of(digits, 4, seeds), "cpu")


@every_kind
@pytest.mark.parametrize("side", [32, 64])
def test_first_weights_are_torchvision_s_own_draws_where_the_stem_is(kind: type[Network], side: int) -> None:
    blank = Records("blank", np.zeros((1, side, side)), np.zeros(1, dtype=np.int64), 10, Provenance("made up", "none"))
    name, module = kind.__name__.lower(), kind().untrained(TrainingSet.of(blank, [0]), 7, "cpu").module
    with torch.random.fork_rng():
        torch.manual_seed(7)
        theirs = getattr(torchvision.models, name)(weights=None, num_classes=10).state_dict()
    others = [name for name, values in module.state_dict().items() if not torch.equal(values, theirs[name])]
    stem = {"densenet121": "features.conv0.weight"}.get(name, "conv1.weight")
    assert others == ([stem] if side < 64 else [])


@every_kind
def test_the_stem_for_small_images_starts_with_the_deviation_of_torchvision_s_rule(kind: type[Network]) -> None:
    """He's normal weights: sqrt(2 / fan), fan 64 * 9 out of a ResNet's convolution, 3 * 9 into a DenseNet's."""
    torch_state = torch.get_rng_state()
    module = kind().build(10, small=True)
    torch.set_rng_state(torch_state)
    stem = module.get_submodule("features.conv0" if kind is DenseNet121 else "conv1")
    assert isinstance(stem, torch.nn.Conv2d)
    assert (stem.kernel_size, stem.stride, stem.bias) == ((3, 3), (1, 1), None)
    fan = 27 if kind is DenseNet121 else 576
    assert stem.weight.std().item() == pytest.approx((2 / fan) ** 0.5, rel=0.1)


def test_grey_images_are_standardized_enlarged_and_repeated_in_three_channels(digits: Records, seeds: Seeds) -> None:
    fitted = SMALL.fit(task_of(digits, 8, seeds), "cpu")
    inputs = fitted.inputs(digits.x[:8])
    assert inputs.shape == (8, 3, 16, 16)
    assert torch.equal(inputs[:, 0], inputs[:, 1])
    assert torch.equal(inputs[:, 0], inputs[:, 2])
    np.testing.assert_allclose(fitted.standardizer.mean, digits.x[:8].mean())
    np.testing.assert_allclose(fitted.standardizer.scale, digits.x[:8].std())
    assert torch.equal(fitted.inputs(digits.x[:8, ..., np.newaxis]), inputs)


def test_only_images_below_16_pixels_are_enlarged_and_keep_their_proportions() -> None:
    assert [enlarged(*size) for size in ((8, 8), (8, 12), (16, 16), (28, 28), (5, 300))] == [
        (16, 16), (16, 24), (16, 16), (28, 28), (16, 960),
    ]  # fmt: skip


def test_naming_the_classes_imports_neither_torch_nor_torchvision() -> None:
    code = "import sys, unlearnbench_vision.{0}; print('torch' in sys.modules, 'torchvision' in sys.modules)"
    for kind in KINDS:
        done = subprocess.run([sys.executable, "-c", code.format(kind)], capture_output=True, text=True, check=True)
        assert done.stdout == "False False\n"


@every_kind
def test_blocks_are_in_order_and_hold_every_parameter_once(kind: type[Network], digits: Records) -> None:
    fitted = kind().untrained(TrainingSet.of(digits, [0]), 7, "cpu")
    parameters = [id(each) for block in fitted.blocks(fitted.module) for each in block.parameters()]
    assert parameters == [id(each) for each in fitted.module.parameters()]
    assert len(fitted.blocks(fitted.module)) == {"ResNet18": 7, "ResNet50": 7, "DenseNet121": 11}[kind.__name__]
