"""The metadata of a submission, as tests change them."""

from __future__ import annotations

from typing import Any

Data = dict[str, Any]


def first_bench(data: Data) -> Data:
    bench: Data = data["benches"][0]
    return bench
