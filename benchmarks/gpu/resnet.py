"""ResNet-18 of plugins/unlearnbench-vision on CIFAR-10: methods on both devices, and against retraining."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from importlib import import_module

import numpy as np

from gpu.comparing import Answers, Row, Way, ask, compare
from gpu.parts import Case, Part, SkippedError
from gpu.setting import Setting, images
from gpu.unlearners import METHODS, deletions
from unlearnbench.builtin.datasets.cifar10 import Cifar10
from unlearnbench.builtin.unlearners.competition.cfw import CFW
from unlearnbench.builtin.unlearners.competition.ct import CT
from unlearnbench.builtin.unlearners.competition.fcs import FCS
from unlearnbench.builtin.unlearners.competition.kde import KDE
from unlearnbench.builtin.unlearners.competition.msg import MSG
from unlearnbench.builtin.unlearners.competition.prmq import PRMQ
from unlearnbench.builtin.unlearners.competition.rni import RNI
from unlearnbench.builtin.unlearners.gradient.boundary_expand import BoundaryExpand
from unlearnbench.builtin.unlearners.gradient.boundary_shrink import BoundaryShrink
from unlearnbench.builtin.unlearners.gradient.delete import Delete
from unlearnbench.builtin.unlearners.gradient.unsir import UNSIR
from unlearnbench.core.models import FitTask, Fitted, Seeds, TargetModel
from unlearnbench.core.records import Records, Step, TrainingSet
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients.unlearner import GradientUnlearner

CIFAR = (Cifar10(version="official", size=None), Cifar10(version="first4000", size=None))
FOR_IMAGES: dict[str, GradientUnlearner] = {
    "delete": Delete(),
    "unsir": UNSIR(),
    "boundary-shrink": BoundaryShrink(),
    "boundary-expand": BoundaryExpand(),
    "fcs": FCS(),
    "msg": MSG(),
    "cfw": CFW(),
    "prmq": PRMQ(),
    "ct": CT(),
    "kde": KDE(),
    "rni": RNI(),
}
"""Methods made for networks on images, at their defaults; the last seven are of the NeurIPS 2023 competition."""


def resnet18() -> TargetModel:
    """Return the model, trained for two epochs; SkippedError where a package is missing."""
    try:
        import_module("torchvision")
        model: TargetModel = import_module("unlearnbench_vision.resnet18").ResNet18(epochs=2)
    except ImportError as error:
        raise SkippedError(f"{error}: needs torchvision, and plugins/unlearnbench-vision/src on PYTHONPATH") from error
    return model


@cache
def photos(setting: Setting) -> Records:
    """Return CIFAR-10 where it is at hand and wanted, else made-up images, four for each three to train on."""
    n = setting.size.photos * 4 // 3
    for dataset in CIFAR if setting.real_photos else ():
        if dataset.availability().available:
            return Cifar10(version=dataset.version, size=n).load()
    return images(n, setting.size.photo_side, 3)


def source(setting: Setting) -> str:
    """Say where the images are from."""
    provenance = photos(setting).provenance
    return f"Images: {photos(setting).name}" + (f" ({provenance.note})." if provenance.note else ".")


def on_both_devices(setting: Setting) -> Mapping[str, Case]:
    """Return a case for training and for each method, on a few images."""
    model, n = resnet18(), setting.size.few_photos
    return {
        "training": partial(_training, model, n, setting),
        **{name: partial(_method, method, model, n, setting) for name, method in METHODS.items()},
    }


def against_retraining(setting: Setting) -> Mapping[str, Case]:
    """Return a case for each method, on all images."""
    model, methods = resnet18(), METHODS | FOR_IMAGES
    return {name: partial(_against_retraining, method, model, setting) for name, method in methods.items()}


def _forget(n: int) -> Step:
    """Return a request for a tenth of the training set."""
    return Step(np.arange(max(1, n // 10)))


def _fit(model: TargetModel, data: TrainingSet, device: str) -> Way[Sequence[Fitted]]:
    return Way(lambda: [model.fit(FitTask(data, Seeds.at(SeedPath(0))), device)], 1)


def _unlearn(
    method: GradientUnlearner, model: TargetModel, records: Records, n: int, device: str
) -> Way[Sequence[Fitted]]:
    todo = deletions(method, model, records, n, [_forget(n)], device)
    return Way(lambda: method.unlearn_all(todo), 1)


def _answers(setting: Setting, n: int) -> Callable[[Sequence[Fitted]], Answers]:
    """Return what asks about the training set and a third as many images that were not trained on."""
    return ask(photos(setting).x[: n + n // 3])


def _training(model: TargetModel, n: int, setting: Setting) -> Row:
    data = TrainingSet.of(photos(setting), np.arange(n))
    return compare(_fit(model, data, setting.device), _fit(model, data, "cpu"), _answers(setting, n))


def _method(method: GradientUnlearner, model: TargetModel, n: int, setting: Setting) -> Row:
    here, there = (_unlearn(method, model, photos(setting), n, device) for device in (setting.device, "cpu"))
    return compare(here, there, _answers(setting, n))


def _against_retraining(method: GradientUnlearner, model: TargetModel, setting: Setting) -> Row:
    records, n = photos(setting), setting.size.photos
    retained = TrainingSet.of(records, np.arange(n)).after(_forget(n))
    unlearned = _unlearn(method, model, records, n, setting.device)
    return compare(unlearned, _fit(model, retained, setting.device), _answers(setting, n))


PARTS = (
    Part(
        "resnet18",
        "Training resnet18 on a few images, and serving one request for a tenth of them. Both devices train an "
        "original of their own.",
        ("{device}", "cpu"),
        on_both_devices,
        source,
    ),
    Part(
        "resnet18-requests",
        "One request for a tenth of the images on the device, against training without them: what a method saves, and "
        "how far from the retrained network it ends.",
        ("unlearning", "retraining"),
        against_retraining,
        source,
    ),
)
