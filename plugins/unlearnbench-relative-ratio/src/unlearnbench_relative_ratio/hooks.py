"""What this package offers."""

from __future__ import annotations

from collections.abc import Iterator

from unlearnbench import AttackPlugin, hookimpl


@hookimpl
def unlearnbench_attacks() -> Iterator[AttackPlugin]:
    """Yield the attack. Versions, label and features repeat the class's needs, for readers of a table."""
    yield AttackPlugin(
        name="relative-ratio",
        summary="The rank of a record's likelihood ratio among records that were not deleted",
        factory="unlearnbench_relative_ratio.relative_ratio:RelativeRatio",
        reference="Zarifzadeh et al. 2024, arXiv 2312.03262",
        versions="both",
        label=True,
    )
