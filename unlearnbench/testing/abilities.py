"""Requirements of what target models declare that they can: a module, moving to other records, a training log."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import Decremental, FitTask, Seeds
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.records import Records, Step, TrainingSet
from unlearnbench.engine.networks.modules import HasModule
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import check
from unlearnbench.testing.samples import everything
from unlearnbench.testing.trials import train

SEEDS: Final = Seeds(11, 22, 33)


@check("See unlearnbench.HasModule; leave `has_module` False for models without a torch module.")
def the_module_is_the_model(subject: Subject) -> Iterator[str]:
    """A model that declares `has_module` answers by its module, and its blocks are the whole module."""
    if not subject.made.has_module:
        return
    records = subject.records()
    task = FitTask(everything(records), SEEDS)
    for fitted in (subject.made.fit(task, "cpu"), *subject.made.fit_many([task], "cpu")):
        if not isinstance(fitted, HasModule):
            yield f"{type(fitted).__name__} lacks some of the attributes of unlearnbench.HasModule"
            continue
        answer = fitted.log_posteriors(records.x)
        copied = fitted.with_module(copy.deepcopy(fitted.module))
        if not np.allclose(copied.log_posteriors(records.x), answer, atol=1e-4):  # a kernel's sums differ from torch's
            yield "with_module of a copy of the module gives other posteriors"
        yield from _module_problems(fitted, records, answer)


def _module_problems(fitted: HasModule, records: Records, answer: NDArray[np.float64]) -> Iterator[str]:
    module, inputs = fitted.module, fitted.inputs(records.x)
    logits = module(inputs).detach().double().numpy()
    if not np.allclose(log_softmax(logits), answer, atol=1e-4):  # of float32 sums
        yield "module(inputs(x)) are not the logits of the posteriors"
    in_blocks = [id(each) for block in fitted.blocks(module) for each in block.parameters()]
    if sorted(in_blocks) != sorted(map(id, module.parameters())):
        yield "not every parameter of the module is in exactly one of its blocks"
    ids = np.arange(len(records))
    whole, again = (fitted.training_logits(module, inputs, ids, 1, 0).detach().numpy() for _ in range(2))
    part = fitted.training_logits(module, inputs[5:9], ids[5:9], 1, 0).detach().numpy()
    if whole.shape != answer.shape or not np.array_equal(whole, again):
        yield "training_logits differ from call to call, or are not (n, n_classes)"
    elif not np.allclose(part, whole[5:9], atol=1e-4):
        yield "training_logits of a record depend on the other records of the batch"


@check("Return from `moved_to(data)` what `fit` gives for `data`; see unlearnbench.core.models.Decremental.")
def moved_to_is_a_refit(subject: Subject) -> Iterator[str]:
    """A model that declares `decremental` moves to other records as if it was trained on them, and stays itself."""
    if not subject.made.decremental:
        return
    records = subject.records()
    before = TrainingSet.of(records, np.arange(40))
    fitted, after = train(subject.made, before, SEEDS), before.after(Step(np.array([3, 7]), np.array([50])))
    if not isinstance(fitted, Decremental):
        yield f"{type(fitted).__name__} has no moved_to"
        return
    first, moved = fitted.log_posteriors(records.x), fitted.moved_to(after).log_posteriors(records.x)
    if not np.allclose(np.exp(moved), np.exp(train(subject.made, after, SEEDS).log_posteriors(records.x)), atol=1e-6):
        yield "moved_to gives another model than training on the records"
    if not np.array_equal(fitted.log_posteriors(records.x), first):
        yield "moved_to changes the model that it starts from"


@check("Call `task.log` with the ids of the batch and the network, before the first step (no ids) and after each.")
def logs_every_step(subject: Subject) -> Iterator[str]:
    """A model that declares `logs` tells its steps, which give the model that it is without a log."""
    if not subject.made.logs:
        return
    records = subject.records()
    task = FitTask(everything(records).after(Step(np.array([3]))), SEEDS)
    steps: list[tuple[list[int], list[bytes]]] = []

    def log(ids: NDArray[np.int64], module: Any) -> None:
        steps.append((ids.tolist(), _bytes(module)))

    fitted = subject.made.fit(replace(task, log=log), "cpu")
    batches = {record for ids, _ in steps for record in ids}
    if not steps or steps[0][0] or batches != set(task.data.kept_ids.tolist()):
        yield "the log does not begin with no ids, or its batches are not those of the records learned from"
    elif not isinstance(fitted, HasModule) or steps[-1][1] != _bytes(fitted.module):
        yield "the log does not end with the weights of the model"
    plain = subject.made.fit(task, "cpu")
    if not np.array_equal(fitted.log_posteriors(records.x), plain.log_posteriors(records.x)):
        yield "the log changes the model"


def _bytes(module: Any) -> list[bytes]:
    return [each.detach().numpy().tobytes() for each in module.parameters()]


CHECKS: Final = (the_module_is_the_model, moved_to_is_a_refit, logs_every_step)
