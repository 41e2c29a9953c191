"""The page: the machine, then a table for each part."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence

from gpu.comparing import Row
from gpu.parts import Outcome


def page(outcomes: Sequence[Outcome], device: str, size: str) -> str:
    """Return the page in Markdown."""
    blocks = [
        "# Engines on a GPU",
        machine(device),
        f"Size: {size}. Seconds are those of one network.",
        _summary(outcomes),
    ]
    return "\n\n".join([*blocks, *("\n\n".join(_part(outcome, device)) for outcome in outcomes)]) + "\n"


def machine(device: str) -> str:
    """Name the card and the versions that numbers depend on."""
    import torch

    tf32 = "TF32" if torch.backends.cudnn.allow_tf32 else "float32"
    card = f"{torch.cuda.get_device_name()}, convolutions in {tf32}" if device == "cuda" else "none, a dry run"
    return (
        f"Card: {card}. CPU: {platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads. "
        f"Python {platform.python_version()}, torch {torch.__version__}, CUDA {torch.version.cuda}."
    )


def _summary(outcomes: Sequence[Outcome]) -> str:
    rows, failed, left_out = (
        sum(len(part) for part in parts)
        for parts in (
            [each.rows for each in outcomes],
            [each.failed for each in outcomes],
            [each.left_out for each in outcomes],
        )
    )
    skipped = sum(bool(each.skipped) for each in outcomes)
    return f"Cases: {rows} measured, {failed} failed, {left_out} left out for time; {skipped} parts skipped."


def _part(outcome: Outcome, device: str) -> Iterator[str]:
    yield f"## {outcome.part.name}"
    yield outcome.part.about
    if outcome.note:
        yield outcome.note
    if outcome.skipped:
        yield f"Skipped: {outcome.skipped}."
    if outcome.rows:
        yield _table(outcome, device)
    for name, reason in outcome.failed.items():
        yield f"Failed: {name}: `{reason.replace('`', chr(39))}`"
    if outcome.left_out:
        yield f"Left out, no time: {'; '.join(outcome.left_out)}."


def _table(outcome: Outcome, device: str) -> str:
    first, second = (way.format(device=device) for way in outcome.part.ways)
    headings = (
        "case",
        f"{first}, s",
        f"{second}, s",
        "ratio",
        "largest difference",
        "equal decisions",
        "repeats to the bit",
    )
    lines = [headings, ("---", *["---:"] * 6), *((name, *_cells(row)) for name, row in outcome.rows.items())]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        f"{row.first_s:.3g}",
        f"{row.second_s:.3g}",
        f"{row.second_s / row.first_s:.2f}x",
        f"{row.difference:.1e}" if row.difference else "0",
        f"{row.equal:.1%}",
        "yes" if row.repeats else "no",
    )
