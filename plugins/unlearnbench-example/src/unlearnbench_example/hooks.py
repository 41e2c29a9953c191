"""What this package offers. Classes are named, not imported, so that listing plug-ins stays quick."""

from __future__ import annotations

from collections.abc import Iterator

from unlearnbench import AttackPlugin, UnlearnerPlugin, hookimpl


@hookimpl
def unlearnbench_attacks() -> Iterator[AttackPlugin]:
    """Yield the attacks."""
    yield AttackPlugin(
        name="largest-move",
        summary="How far the posterior of any class moved",
        factory="unlearnbench_example.largest_move:LargestMove",
    )


@hookimpl
def unlearnbench_unlearners() -> Iterator[UnlearnerPlugin]:
    """Yield the unlearning methods."""
    yield UnlearnerPlugin(
        name="subsample",
        summary="Each version is trained on a random share of what is left",
        factory="unlearnbench_example.subsample:Subsample",
        exact=True,
    )
