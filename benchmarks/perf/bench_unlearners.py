"""Methods of unlearning: all requests of an original together, against one after the other in plain torch."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import plain_unlearning as plain
import pytest
import torch
from comparing import Compare
from jobs import DATA

from unlearnbench.builtin.datasets.mnist import Mnist
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.models.simple_cnn.model import SimpleCNN
from unlearnbench.builtin.unlearners.edits.fisher import Fisher
from unlearnbench.builtin.unlearners.edits.influence import Influence
from unlearnbench.builtin.unlearners.edits.ssd import SSD
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.builtin.unlearners.gradient.neggrad_plus import NegGradPlus
from unlearnbench.builtin.unlearners.gradient.random_label import RandomLabel
from unlearnbench.builtin.unlearners.gradient.salun import SalUn
from unlearnbench.builtin.unlearners.gradient.scrub import Scrub
from unlearnbench.core.models import Fitted
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients import stack
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, has_module

METHODS: dict[str, tuple[GradientUnlearner, plain.Plain]] = {
    "finetune": (Finetune(epochs=1), plain.finetune),
    "neggrad-plus": (NegGradPlus(epochs=1), plain.neggrad_plus),
    "random-label": (RandomLabel(epochs=1), plain.random_label),
    "salun": (SalUn(epochs=1), plain.salun),
    "scrub": (Scrub(epochs=1), plain.scrub),
    "ssd": (SSD(), plain.ssd),
    "fisher": (Fisher(), plain.fisher),
    "influence": (Influence(), plain.influence),
}


@pytest.mark.parametrize("name", METHODS)
def bench_unlearner(name: str, compare: Compare) -> None:
    """Serve 20 requests of one record each."""
    method, loop = METHODS[name]
    data = TrainingSet.of(DATA["Adult"](), np.arange(2000))
    _compare(
        name, "Adult, 64-32, 20 requests", method, loop, Original(MLP(hidden=(64, 32)), data, SeedPath(0)), compare
    )


def bench_unlearner_of_cnn(compare: Compare) -> None:
    """Fine-tune the small convolutional network, for 3 requests."""
    dataset = Mnist(size=1280)
    if missing := [file.name for file in dataset.files() if not file.find()]:
        pytest.skip(f"needs MNIST ({', '.join(missing)}): set UNLEARNBENCH_DATA to where it is")
    original = Original(SimpleCNN(epochs=1), TrainingSet.of(dataset.load(), np.arange(640)), SeedPath(0))
    method, loop = METHODS["finetune"]

    def as_it_is_trained(request: plain.Request) -> None:
        loop(replace(request, network=plain.with_dropout(request.network)))

    _compare("finetune", "MNIST, CNN, 3 requests", method, as_it_is_trained, original, compare, requests=3)


@pytest.mark.parametrize(("name", "method"), [("finetune", Finetune()), ("salun", SalUn()), ("scrub", Scrub())])
def bench_few_requests(name: str, method: GradientUnlearner, compare: Compare) -> None:
    """Serve 6 requests for all epochs; the reference computes the losses of 16 networks, 10 of which are copies."""
    original = Original(MLP(hidden=(64, 32)), TrainingSet.of(DATA["digits"](), np.arange(260)), SeedPath(0))
    state = method.prepare(original)
    deletions = [state.deletion(Step(np.array([r])), SeedPath(1) / r) for r in range(6)]

    def with_copies() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stack, "_RECORDS", 2**30)
            method.unlearn_all(deletions)

    compare(
        f"{name}, losses of 6 networks, not of 16",
        "digits, 64-32, 6 requests",
        reference=with_copies,
        reference_models=6,
        fast=lambda: method.unlearn_all(deletions),
        fast_models=6,
        rounds=25,
        table="Unlearning methods",
        clock=time.process_time,
    )


def _compare(
    name: str,
    title: str,
    method: GradientUnlearner,
    loop: plain.Plain,
    original: Original,
    compare: Compare,
    requests: int = 20,
) -> None:
    """Measure how fast requests of one record are served; what is computed once for an original is part of it.

    The modules of the unlearned networks are made, too.
    """
    times = TIMES.get(name, 1)

    def one_by_one() -> None:
        for record in range(REFERENCES * times):
            loop(request_of(original, record))

    def served() -> None:
        for _ in range(times):
            state = method.prepare(original)
            deletions = [state.deletion(Step(np.array([r])), SeedPath(1) / r) for r in range(requests)]
            modules_of(method.unlearn_all(deletions))

    compare(
        name,
        title,
        reference=one_by_one,
        reference_models=REFERENCES * times,
        fast=served,
        fast_models=requests * times,
        rounds=3 if times == 1 else 9,
        table="Unlearning methods",
        clock=time.process_time,
    )


def modules_of(served: Sequence[Fitted]) -> list[torch.nn.Module]:
    """Return the networks, some of which are made when they are asked for."""
    return [has_module(each).module for each in served]


REFERENCES = 2
"""For how many requests the plain loop is timed."""
TIMES = {"influence": 10}
"""How often a round is repeated that takes milliseconds, so that it outlasts what another program does in between."""


def request_of(original: Original, record: int) -> plain.Request:
    """Return what a plain method is given to forget one record."""
    fitted, data = has_module(original.fitted), original.data
    rows = torch.arange(len(data))
    x, y = fitted.inputs(data.x), torch.from_numpy(data.y)
    return plain.Request(copy.deepcopy(fitted.module), x, y, rows[rows != record], rows[rows == record])
