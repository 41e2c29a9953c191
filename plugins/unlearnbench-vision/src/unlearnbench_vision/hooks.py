"""What this package offers. Classes are named, not imported, so that listing plug-ins imports no torch."""

from __future__ import annotations

from collections.abc import Iterator

from unlearnbench import ModelPlugin, hookimpl

_HE = "He et al. 2016, doi 10.1109/CVPR.2016.90"


@hookimpl
def unlearnbench_models() -> Iterator[ModelPlugin]:
    """Yield the target models."""
    yield ModelPlugin(
        name="resnet18",
        summary="A residual network of 18 layers, for images",
        factory="unlearnbench_vision.resnet18:ResNet18",
        reference=_HE,
    )
    yield ModelPlugin(
        name="resnet50",
        summary="A residual network of 50 layers, for images",
        factory="unlearnbench_vision.resnet50:ResNet50",
        reference=_HE,
    )
    yield ModelPlugin(
        name="densenet121",
        summary="A densely connected network of 121 layers, for images",
        factory="unlearnbench_vision.densenet121:DenseNet121",
        reference="Huang et al. 2017, doi 10.1109/CVPR.2017.243",
    )
