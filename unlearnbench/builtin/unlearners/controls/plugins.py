"""What is registered of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlearnbench.hooks.records import UnlearnerPlugin

_HERE: Final = "unlearnbench.builtin.unlearners.controls"


def plugins() -> Iterator[UnlearnerPlugin]:
    """Yield the controls."""
    yield UnlearnerPlugin(
        name="none",
        summary="The original itself: nothing is unlearned",
        factory=f"{_HERE}.none:NoUnlearning",
        sees=(),
        role="control",
        deletes_nothing=True,
    )
    yield UnlearnerPlugin(
        name="random-noise",
        summary="A sham: the original with noise that no record caused",
        factory=f"{_HERE}.random_noise:RandomNoise",
        sees=(),
        role="control",
    )
    yield UnlearnerPlugin(
        name="noise-floor",
        summary="Trained again with the record named but not deleted",
        factory=f"{_HERE}.noise_floor:NoiseFloor",
        role="control",
        deletes_nothing=True,
    )
